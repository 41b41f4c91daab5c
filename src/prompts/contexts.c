/*
 * Our own vocabulary of contexts. A phrase that one task cannot use (it says, gives away or cannot go with a value)
 * is left out there by aimf_task_finish; so the lists hold what is fit for some tasks at least. "" is: not mentioned.
 */
#include "prompts/task.h"

typedef struct {
    const char *name;
    const char *lead;
    const char *const *phrases;
} Dimension;

typedef struct {
    const char *one;
    const char *other;
} Clash;

/* --- People --- */

static const char *const HAIR[] = {
    "short {hair colour} hair",
    "very short {hair colour} hair",
    "chin-length {hair colour} hair",
    "shoulder-length {hair colour} hair",
    "long {hair colour} hair",
    "short curly {hair colour} hair",
    "long curly {hair colour} hair",
    "loose wavy {hair colour} hair",
    "short wavy {hair colour} hair",
    "long straight {hair colour} hair",
    "straight chin-length {hair colour} hair",
    "thick {hair colour} hair",
    "fine straight {hair colour} hair",
    "tousled {hair colour} hair",
    "windswept {hair colour} hair",
    "neatly combed {hair colour} hair",
    "slicked-back {hair colour} hair",
    "side-parted {hair colour} hair",
    "{hair colour} hair parted in the middle",
    "{hair colour} hair tied back",
    "{hair colour} hair with a short fringe",
    "layered {hair colour} hair",
    "a shaved head",
    NULL,
};

static const char *const HAIR_COLOUR[] = {
    "black", "dark brown", "brown", "light brown", "chestnut brown", "auburn", "copper", "blond",
    "sandy", "jet black",  "",      NULL,
};

static const char *const FACE[] = {
    "an oval face", "a round face",  "a square face",   "a heart-shaped face",   "a long narrow face",
    "a broad face", "a small chin",  "high cheekbones", "a wide forehead",       "a pointed chin",
    "full cheeks",  "a rounded jaw", "an angular face", "a diamond-shaped face", "",
    NULL,
};

static const char *const SKIN[] = {
    "light freckles",
    "a few freckles on the nose",
    "clear skin",
    "a small mole on one cheek",
    "a small mole above the lip",
    "lightly tanned skin",
    "a faint scar on the forehead",
    "a thin scar through one eyebrow",
    "visible skin texture",
    "slightly dry skin",
    "a light sheen on the forehead",
    "a small birthmark near one ear",
    "matte skin",
    "rosy cheeks",
    "",
    NULL,
};

static const char *const ACCESSORY[] = {
    "round glasses",
    "thin-framed glasses",
    "thick-framed glasses",
    "rectangular glasses",
    "rimless glasses",
    "clear-framed glasses",
    "sunglasses pushed up on the head",
    "a knitted beanie",
    "a baseball cap",
    "a straw hat",
    "a wide-brimmed felt hat",
    "a bucket hat",
    "a sports headband",
    "headphones around the neck",
    "small wireless earphones",
    "a woollen scarf",
    "a patterned cotton scarf",
    "a thin cord around the neck",
    "a camera strap over one shoulder",
    "a backpack",
    "a name badge",
    "",
    NULL,
};

static const char *const CLOTHING[] = {
    "a plain T-shirt",
    "a striped T-shirt",
    "a denim jacket",
    "a grey woollen sweater",
    "a cream knitted sweater",
    "a green hooded sweatshirt",
    "a linen shirt",
    "a checked flannel shirt",
    "a navy blazer",
    "a dark leather jacket",
    "a yellow raincoat",
    "a burgundy turtleneck",
    "a corduroy jacket",
    "an olive parka",
    "a beige trench coat",
    "a quilted vest",
    "a knitted cardigan",
    "a light blue polo shirt",
    "a red sports jersey",
    "a tweed jacket",
    "a white cotton shirt",
    "a black winter coat",
    "a faded denim shirt",
    "an orange fleece jacket",
    NULL,
};

static const char *const HEAD_POSE[] = {
    "facing the camera",
    "looking straight into the camera",
    "looking slightly to the left",
    "looking slightly to the right",
    "seen in three-quarter view from the left",
    "seen in three-quarter view from the right",
    "with the head tilted to one side",
    "with the chin slightly raised",
    "with the chin slightly lowered",
    "looking over one shoulder",
    "turned halfway to the side",
    "leaning towards the camera",
    "glancing upwards",
    "glancing downwards",
    "resting the head on one hand",
    NULL,
};

static const char *const LIGHT[] = {
    "in soft window light",
    "in bright daylight",
    "in warm evening sun",
    "in hazy morning sun",
    "under an overcast sky",
    "in diffuse studio light",
    "lit from the left",
    "lit from the right",
    "in open shade",
    "in warm lamplight",
    "with gentle light from behind",
    "in hard midday sun",
    "in even frontal light",
    "in cool blue light",
    "in dim indoor light",
    "with a soft shadow on one side",
    NULL,
};

static const char *const BACKGROUND[] = {
    "in front of a plain grey wall",
    "in front of a white wall",
    "in front of a brick wall",
    "in front of a blue studio backdrop",
    "in front of a dark backdrop",
    "in front of full bookshelves",
    "in front of a concrete wall",
    "in front of a wooden fence",
    "in front of a leafy hedge",
    "on a busy city street",
    "on a quiet side street",
    "in a park",
    "in a flower garden",
    "on a sandy beach",
    "on a forest path",
    "beside a river",
    "in an office",
    "in a small café",
    "in a kitchen",
    "in a living room",
    "in a library",
    "in a museum hall",
    "on a train platform",
    "at a street market",
    "in a snowy field",
    "on a wide staircase",
    "in the mountains",
    "at a harbour",
    NULL,
};

static const Dimension PEOPLE[] = {
    { "hair", "with", HAIR },
    { "hair colour", "{}", HAIR_COLOUR },
    { "face shape", "with", FACE },
    { "skin details", "with", SKIN },
    { "accessories", "wearing", ACCESSORY },
    { "clothing", "wearing", CLOTHING },
    { "head pose", "", HEAD_POSE },
    { "light", "", LIGHT },
    { "background", "", BACKGROUND },
};

static const Clash PEOPLE_CLASHES[] = {
    /* What a hat hides or flattens, and what would be there twice. */
    { "beanie, hat, cap, headband, on the head",
      "parted, side parted, tousled, windswept, neatly combed, slicked back, fringe" },
    { "sunglasses pushed", "in dim indoor light" },
    { "scarf, cord", "turtleneck" },
    { "round face", "full cheeks" },
    { "sports headband", "shaved head" },
    /* Weather and place. */
    { "sun, sky, daylight, shade",
      "backdrop, bookshelf, bookshelves, office, café, kitchen, living room, library, museum" },
    { "studio ~ light, indoor, lamplight, window",
      "street, park, garden, beach, forest, river, field, mountain, harbour, market, platform, fence, hedge, snowy, "
      "staircase" },
    { "studio ~ light", "office, café, kitchen, living room, library, museum, bookshelves" },
    { "winter coat, parka, woollen scarf, fleece, beanie", "beach, flower garden" },
    { "straw hat, bucket hat, polo, T-shirt", "snowy" },
    { "straw hat, bucket hat", "winter coat, parka, fleece" },
    { "raincoat", "sun" },
    { "sports headband", "blazer, trench coat, tweed, winter coat" },
    { "headphones around the neck", "scarf, turtleneck" },
};

/* --- Cats and dogs --- */

static const char *const COAT[] = {
    "short fur",           "long fur", "fluffy fur",         "smooth glossy fur", "thick woolly fur", "wavy fur",
    "slightly shaggy fur", "wet fur",  "neatly brushed fur", "ruffled fur",       "dense soft fur",   NULL,
};

static const char *const FEATURES[] = {
    "amber eyes", "brown eyes",    "large round eyes",        "half-closed eyes", "pricked ears", "one folded ear",
    "soft ears",  "deep-set eyes", "a small nick in one ear", "a damp nose",      "a thick neck", "",
    NULL,
};

static const char *const COLLAR[] = {
    "a red collar",
    "a blue collar",
    "a green collar",
    "a leather collar",
    "a collar with a small bell",
    "a checked bandana",
    "a knitted scarf",
    "a yellow ribbon",
    "a name tag",
    "a plaid coat",
    "",
    NULL,
};

static const char *const BODY_POSE[] = {
    "sitting upright",
    "lying down",
    "standing still",
    "curled up",
    "stretching",
    "walking slowly",
    "looking into the camera",
    "looking to the left",
    "looking to the right",
    "with the head tilted",
    "resting the chin on its paws",
    "yawning",
    "seen from slightly above",
    "seen from the side",
    "with one paw raised",
    NULL,
};

static const char *const PLACE[] = {
    "on a wooden floor",
    "on a grey sofa",
    "on a patterned rug",
    "in a wicker basket",
    "on a window sill",
    "on a doorstep",
    "on a stone wall",
    "in tall grass",
    "on a gravel path",
    "on a sandy beach",
    "under a garden table",
    "among autumn leaves",
    "in a flower bed",
    "on a kitchen floor",
    "on a knitted blanket",
    "on a park bench",
    "on a balcony",
    "beside a brick wall",
    "in a hallway",
    "on a tiled porch",
    "on a snowy lawn",
    "beside a potted plant",
    "on a wooden deck",
    "in front of a plain backdrop",
    NULL,
};

static const char *const ANIMAL_LIGHT[] = {
    "in soft window light",  "in bright daylight",  "in warm evening sun",
    "under an overcast sky", "in open shade",       "in warm lamplight",
    "lit from the left",     "lit from the right",  "in hazy morning sun",
    "in hard midday sun",    "in even light",       "with gentle light from behind",
    "in cool blue light",    "in dim indoor light", NULL,
};

static const char *const VIEW[] = {
    "photographed close up",
    "photographed from a few steps away",
    "with a blurred background",
    "with the background in focus",
    "photographed at eye level",
    "photographed with a wide lens",
    "",
    NULL,
};

static const Dimension ANIMALS[] = {
    { "coat", "with", COAT },  { "features", "with", FEATURES }, { "accessories", "wearing", COLLAR },
    { "pose", "", BODY_POSE }, { "background", "", PLACE },      { "light", "", ANIMAL_LIGHT },
    { "view", "", VIEW },
};

static const Clash ANIMAL_CLASHES[] = {
    { "sun, sky, daylight, shade",
      "wooden floor, sofa, rug, basket, window sill, kitchen, knitted blanket, hallway, backdrop" },
    { "lamplight, window light, indoor",
      "doorstep, stone wall, grass, gravel, beach, garden, leaves, flower bed, park, balcony, porch, lawn, deck, "
      "brick wall" },
    { "half closed ~ eyes", "looking into, yawning" },
    { "walking", "basket, window sill, sofa, bench" },
    { "wet fur", "sofa, basket, blanket" },
    { "blurred", "background in focus" },
    { "close up", "wide lens" },
};

/* --- Into a task --- */

static void take_dimensions(AimfTask *task, const Dimension *dimensions, gsize n)
{
    task->dimensions = g_renew(AimfTaskDimension, task->dimensions, task->n_dimensions + n);
    for (gsize i = 0; i < n; i++)
        task->dimensions[task->n_dimensions++] = (AimfTaskDimension){
            .name = g_strdup(dimensions[i].name),
            .lead = g_strdup(dimensions[i].lead),
            .phrases = g_strdupv((char **)dimensions[i].phrases),
        };
}

static void take_clashes(AimfTask *task, const Clash *clashes, gsize n)
{
    task->clashes = g_renew(AimfTaskClash, task->clashes, task->n_clashes + n);
    for (gsize i = 0; i < n; i++)
        task->clashes[task->n_clashes++] = (AimfTaskClash){
            .one = aimf_word_list(clashes[i].one),
            .other = aimf_word_list(clashes[i].other),
        };
}

void aimf_task_take_people(AimfTask *task)
{
    take_dimensions(task, PEOPLE, G_N_ELEMENTS(PEOPLE));
    take_clashes(task, PEOPLE_CLASHES, G_N_ELEMENTS(PEOPLE_CLASHES));
}

void aimf_task_take_animals(AimfTask *task)
{
    take_dimensions(task, ANIMALS, G_N_ELEMENTS(ANIMALS));
    take_clashes(task, ANIMAL_CLASHES, G_N_ELEMENTS(ANIMAL_CLASHES));
}

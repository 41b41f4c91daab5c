/*
 * Words for the attributes of datasets: what says a value, what gives it away. Ours are few words in turn, so that a
 * group does not become one look; the lists for recognising them are longer, because others write differently.
 */
#include "data/attribute.h"
#include "prompts/task.h"

#include <aimfair/data.h>
#include <aimfair/names.h>
#include <string.h>

enum { MAX_VALUES = 5 };

typedef struct {
    AimfWordPlace place;
    const char *words;
    const char *also;
    const char *impossible;
} ValueWords;

typedef struct {
    const char *kind;
    const char *field;
    const char *title; /* in a task's name */
    ValueWords values[MAX_VALUES];
    const char *slot;
    const char *describes;
    const char *telling;
    const char *without;
} AttributeWords;

#define MALE_WORDS                                                                                                     \
    {                                                                                                                  \
        AIMF_WORDS_NOUN, "man",                                                                                        \
            "male, men, gentleman, gentlemen, guy, boy, lad, bloke, dude, sir, mr, he, him, his, himself, father, "    \
            "dad, grandfather, grandpa, husband, son, brother, uncle, nephew, groom, king, prince, businessman, "      \
            "businessmen, salesman, policeman, fireman, fisherman, sportsman, waiter",                                 \
            NULL                                                                                                       \
    }
#define FEMALE_WORDS                                                                                                   \
    {                                                                                                                  \
        AIMF_WORDS_NOUN, "woman",                                                                                      \
            "female, women, lady, girl, gal, lass, madam, mrs, ms, she, her, herself, mother, mom, mum, grandmother, " \
            "grandma, wife, daughter, sister, aunt, niece, bride, queen, princess, businesswoman, businesswomen, "     \
            "actress, waitress, policewoman, sportswoman, brunette",                                                   \
            NULL                                                                                                       \
    }
#define SEX_TELLING                                                                                                    \
    "beard, bearded, moustache, mustache, goatee, stubble, stubbly, sideburn, whisker, clean shaven, unshaven, "       \
    "cleanshaven, facial hair, five o'clock shadow, 5 o'clock shadow, bushy ~ eyebrow, arched ~ eyebrow, buzz cut, "   \
    "crew cut, bald, balding, shaved head, shaven head, receding hairline, adam's apple, makeup, make up, "            \
    "lipstick, lip gloss, red ~ lip, full lip, plump lip, glossy lip, eyelash, lash, mascara, eyeliner, eyeshadow, "   \
    "eye shadow, rouge, nail polish, painted nail, manicure*, earring, hoop, necklace, pearl, tiara, brooch, "         \
    "choker, handbag, purse, dress, sundress, gown, ballgown, skirt, blouse, bra, bikini, corset, heel, stiletto, "    \
    "veil, hijab, niqab, burqa, abaya, headscarf, turban, kippah, necktie, tie, bow tie, suit, tuxedo, cufflink, "     \
    "suspender, feminine, masculine, manly, womanly, girly, girlish, boyish, ladylike, handsome, pretty, "             \
    "beautiful, gorgeous, lovely, rugged, muscular, curvy, strong ~ jaw, square jaw, strong ~ jawline, "               \
    "square ~ jawline, cleavage, chiselled, chiseled, broad shoulder, pigtail, hair bow, hair clip, barrette, "        \
    "pregnant"

#define YOUNG_WORDS                                                                                                    \
    {                                                                                                                  \
        AIMF_WORDS_BEFORE, "young",                                                                                    \
            "younger, youthful, youth, teen, teenage, teenager, adolescent, juvenile, boy, girl, schoolboy, "          \
            "schoolgirl, child, children, kid, baby, infant, toddler, twenties, 20s, twenty something, 20 something",  \
            NULL                                                                                                       \
    }
#define OLD_WORDS                                                                                                      \
    {                                                                                                                  \
        AIMF_WORDS_BEFORE, "middle-aged, elderly, older",                                                              \
            "old, oldest, aged, aging, ageing, middle age, senior, mature, pensioner, retired, retiree, forties, "     \
            "fifties, sixties, seventies, eighties, nineties, 40s, 50s, 60s, 70s, 80s, 90s, sexagenarian, "            \
            "septuagenarian, octogenarian, nonagenarian, grandmother, grandfather, grandparent, grandma, "             \
            "grandpa, granny",                                                                                         \
            NULL                                                                                                       \
    }
#define AGE_TELLING                                                                                                    \
    "wrinkle, wrinkled, wrinkly, grey ~ hair, gray ~ hair, silver ~ hair, white ~ hair, grey haired, gray haired, "    \
    "white haired, silver haired, greying, graying, salt and pepper, crow's feet, fine lines, deep lines, "            \
    "smile lines, laugh line, laughter line, age spot, liver spot, sagging, bald, balding, receding, "                 \
    "thinning hair, hearing aid, cane, walking stick, dentures, reading glasses, bifocals, retirement, pension, "      \
    "grandchild, grandchildren, veteran, year old, acne, pimple, smooth skin, smooth ~ skin, flawless skin, "          \
    "weathered, fresh faced, double chin, braces, pigtail, school, student, college, university, playground, toy, "    \
    "generation"

#define SMILE_TELLING                                                                                                  \
    "happy, happily, happiness, cheerful, cheery, jolly, jovial, gleeful, glee, joy, joyful, delighted, pleased, "     \
    "excited, amused, playful, merry, sad, sadness, angry, anger, frown*, scowl*, gloomy, grim, sullen, sombre, "      \
    "somber, grumpy, upset, cry*, pout*, grimace*, dimple, dimpled, teeth, tooth, toothy, mouth, upturned ~ lip, "     \
    "parted lip, pursed lip, curled lip, crinkle*, sparkling eyes, twinkling eyes, laughter, radiant, "                \
    "warm expression, friendly, mood, cheering"

#define HAIR_NOUNS                                                                                                     \
    "hair, haired, lock, curl, wave, braid, bun, ponytail, fringe, bangs, bob, afro, crop, hairstyle, hairdo, tress, " \
    "plait"
#define HAIR_TELLING "highlights, streak, streaked, root, ombre, balayage, bleached, dyed, brunette, redhead"
#define NO_HAIR "bald, balding, shaved head, shaven head, headscarf, hijab, turban, helmet, hood"

#define PEOPLE                                                                                                         \
    "person, people, adult, individual, human, man, men, male, woman, women, female, gentleman, lady, guy, boy, "      \
    "girl, "                                                                                                           \
    "child, kid, teenager, senior, model, face"
#define RACE_TELLING                                                                                                   \
    "blond ~ hair, blonde ~ hair, red ~ hair, ginger ~ hair, auburn ~ hair, copper ~ hair, chestnut ~ hair, blond, "   \
    "blonde, redhead, ginger, auburn, sandy hair, fair ~ skin, pale, dark ~ skin, light ~ skin, brown ~ skin, "        \
    "olive ~ skin, tan, tanned, sun kissed, fair skinned, dark skinned, light skinned, ivory skin, porcelain, "        \
    "ebony, white ~ skin, black ~ skin, golden ~ skin, bronze ~ skin, deep ~ skin, bronzed, melanin, complexion, "     \
    "skin tone, freckle, freckled, rosy, flushed, blue ~ eyes, green ~ eyes, grey ~ eyes, gray ~ eyes, "               \
    "hazel ~ eyes, almond eyes, monolid, afro, cornrow, dreadlock, locs, box braid, tightly curled, coily, kinky, "    \
    "hijab, turban, sari, kimono, hanbok, cheongsam, qipao, kurta, dashiki, keffiyeh, sombrero, bindi, poncho, "       \
    "ethnic, ethnicity, race, tribal"

static const AttributeWords ATTRIBUTES[] = {
    {
        .kind = "celeba",
        .field = "Smiling",
        .title = "Smiling",
        .values = { { AIMF_WORDS_BEFORE, "serious, expressionless, unsmiling",
                      "neutral expression, neutral face, neutral look, straight face, straight faced, stern, solemn, "
                      "deadpan, impassive, emotionless, composed expression, neutral ~ expression, serious expression",
                      NULL },
                    { AIMF_WORDS_BEFORE, "smiling", "smile*, grin*, smirk*, laugh*, chuckle*, giggle*, beaming",
                      NULL } },
        .telling = SMILE_TELLING,
        .without = "expression",
    },
    {
        .kind = "celeba",
        .field = "Male",
        .title = "Male",
        .values = { FEMALE_WORDS, MALE_WORDS },
        .telling = SEX_TELLING,
    },
    {
        .kind = "celeba",
        .field = "Young",
        .title = "Young",
        .values = { OLD_WORDS, YOUNG_WORDS },
        .telling = AGE_TELLING,
    },
    {
        .kind = "celeba",
        .field = "Blond_Hair",
        .title = "BlondHair",
        .values = { { AIMF_WORDS_SLOT, "dark brown, black, chestnut brown, auburn",
                      "brown, chestnut, red, copper, ginger, grey, gray, silver, white, dark, jet black", NO_HAIR },
                    { AIMF_WORDS_SLOT, "blond", "blonde, golden, fair, flaxen, platinum", NO_HAIR } },
        .slot = "hair colour",
        .describes = HAIR_NOUNS,
        .telling = HAIR_TELLING,
    },
    {
        .kind = "celeba",
        .field = "Black_Hair",
        .title = "BlackHair",
        .values = { { AIMF_WORDS_SLOT, "light brown, blond, chestnut brown, auburn",
                      "brown, blonde, golden, fair, flaxen, platinum, chestnut, red, copper, ginger, grey, gray, "
                      "silver, white",
                      NO_HAIR },
                    { AIMF_WORDS_SLOT, "black", "jet black, raven, raven black", NO_HAIR } },
        .slot = "hair colour",
        .describes = HAIR_NOUNS,
        .telling = HAIR_TELLING,
    },
    {
        .kind = "utkface",
        .field = "gender",
        .title = "Female",
        .values = { MALE_WORDS, FEMALE_WORDS },
        .telling = SEX_TELLING,
    },
    {
        .kind = "utkface",
        .field = "race",
        .title = "Race",
        .values = { { AIMF_WORDS_BEFORE, "white", "caucasian, european, scandinavian", NULL },
                    { AIMF_WORDS_BEFORE, "Black", "african, african american", NULL },
                    { AIMF_WORDS_BEFORE, "East Asian",
                      "asian, chinese, japanese, korean, vietnamese, thai, filipino, southeast asian", NULL },
                    { AIMF_WORDS_BEFORE, "Indian", "south asian, pakistani, bangladeshi, sri lankan", NULL },
                    { AIMF_WORDS_BEFORE, "Hispanic, Middle Eastern",
                      "latino, latina, latinx, latin american, arab, arabic, persian, polynesian, native american",
                      NULL } },
        .describes = PEOPLE,
        .telling = RACE_TELLING,
    },
};

/* Of UTKFace's classes made of one field's number. */
static const struct {
    const char *canonical;
    const char *title;
} TITLES[] = { { "gender:1", "Female" }, { "gender:0", "Male" }, { "race:0", "White" }, { "race:1", "Black" },
               { "race:2", "Asian" },    { "race:3", "Indian" }, { "race:4", "Other" } };

static char *title_of(const AttributeWords *words, const AimfAttribute *attribute, const char *canonical)
{
    for (gsize i = 0; i < G_N_ELEMENTS(TITLES); i++)
        if (strcmp(TITLES[i].canonical, canonical) == 0)
            return g_strdup(TITLES[i].title);
    return g_strdup(attribute->rule == AIMF_ATTRIBUTE_VALUE ? words->title : canonical);
}

char **aimf_word_list(const char *text)
{
    char **words = g_strsplit(text ? text : "", ",", -1);
    for (char **word = words; *word; word++)
        g_strstrip(*word);
    return words;
}

static char **join_lists(char **first, const char *text)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    if (first)
        g_strv_builder_addv(builder, (const char **)first);
    g_auto(GStrv) more = aimf_word_list(text);
    g_strv_builder_addv(builder, (const char **)more);
    g_strfreev(first);
    return g_strv_builder_end(builder);
}

static void take_value(AimfTaskAttribute *attribute, int label, const ValueWords *words)
{
    guint index = (guint)label;
    if (index >= attribute->n_values) {
        attribute->values = g_renew(AimfTaskValue, attribute->values, index + 1);
        memset(attribute->values + attribute->n_values, 0,
               sizeof *attribute->values * (index + 1 - attribute->n_values));
        attribute->n_values = index + 1;
    }
    AimfTaskValue *value = &attribute->values[index];
    value->place = words->place;
    value->words = join_lists(value->words, words->words);
    value->also = join_lists(value->also, words->also);
    value->impossible = join_lists(value->impossible, words->impossible);
}

static void take_lists(AimfTaskAttribute *attribute, const AttributeWords *words)
{
    attribute->slot = g_strdup(words->slot);
    attribute->describes = aimf_word_list(words->describes);
    attribute->telling = aimf_word_list(words->telling);
    attribute->without = aimf_word_list(words->without);
}

static const AttributeWords *find_words(const char *kind, const AimfAttribute *attribute, const char *text,
                                        GError **error)
{
    GString *known = g_string_new(NULL);
    const char *names[G_N_ELEMENTS(ATTRIBUTES) + 1] = { NULL };
    gsize n = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(ATTRIBUTES); i++) {
        if (strcmp(ATTRIBUTES[i].kind, kind) != 0)
            continue;
        if (strcmp(ATTRIBUTES[i].field, attribute->field) == 0) {
            g_string_free(known, TRUE);
            return &ATTRIBUTES[i];
        }
        g_string_append_printf(known, "%s%s", known->len ? ", " : "", ATTRIBUTES[i].field);
        names[n++] = ATTRIBUTES[i].field;
    }
    g_autofree char *hint = aimf_name_hint(text, names);
    g_set_error(
        error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
        "no words are known for '%s' of %s%s; there are some for: %s. Others: describe the task in a file (--task)",
        text, kind, hint, known->str);
    g_string_free(known, TRUE);
    return NULL;
}

gboolean aimf_words_for_attribute(const char *kind, const char *text, AimfTaskAttribute *attribute, GError **error)
{
    AimfAttribute parsed;
    g_autofree char *canonical = aimf_attribute_canonical(kind, text, error);
    if (!canonical || !aimf_attribute_parse(kind, text, &parsed, error))
        return FALSE;
    const AttributeWords *words = find_words(kind, &parsed, text, error);
    if (!words)
        return FALSE;
    for (int v = 0; v < MAX_VALUES && words->values[v].words; v++)
        take_value(attribute, aimf_attribute_evaluate(&parsed, v), &words->values[v]);
    take_lists(attribute, words);
    for (guint v = 0; v < attribute->n_values; v++)
        attribute->values[v].label = g_strdup_printf("%u", v);
    attribute->name = title_of(words, &parsed, canonical);
    if (attribute->n_values >= 2 && attribute->values[0].words && attribute->values[1].words)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is the same for everybody: it makes no groups", text);
    return FALSE;
}

void aimf_words_for_animals(AimfTaskAttribute *species, AimfTaskAttribute *tone)
{
    static const AttributeWords DOG = {
        .values = { { AIMF_WORDS_NOUN, "cat", "kitten, kitty, feline, tabby, tomcat, siamese, maine coon", NULL },
                    { AIMF_WORDS_NOUN, "dog",
                      "puppy, pup, canine, hound, terrier, retriever, labrador, poodle, bulldog, spaniel, corgi, "
                      "husky, sheepdog, dachshund, beagle",
                      NULL } },
        .telling = "leash, bone, kennel, litter box, scratching post, cat tree, yarn, mouse, fetch*, meow*, bark*, "
                   "purr*, wag*, slit pupil, vertical pupil, snout, muzzle",
    };
    static const AttributeWords LIGHT = {
        .values = { { AIMF_WORDS_BEFORE, "black, dark brown, dark grey", "dark, dark gray, dark coloured, dark colored",
                      NULL },
                    { AIMF_WORDS_BEFORE, "white, cream-coloured, light grey",
                      "cream, cream colored, light gray, light, light coloured, light colored, pale, ivory, golden, "
                      "blond, blonde",
                      NULL } },
        .describes = "cat, kitten, feline, dog, puppy, pup, canine, hound, terrier, retriever, labrador, poodle, "
                     "bulldog, spaniel, corgi, husky, fur, furred, coat, coated, hair, haired, animal, pet, paw, "
                     "chest, belly, tail, face, spot, patch, marking, stripe",
        .telling = "tabby, spotted, patched, calico, tortoiseshell, two tone, snowy fur",
    };
    for (int v = 0; v < 2; v++) {
        take_value(species, v, &DOG.values[v]);
        take_value(tone, v, &LIGHT.values[v]);
        species->values[v].label = g_strdup_printf("%d", v);
        tone->values[v].label = g_strdup_printf("%d", v);
    }
    take_lists(species, &DOG);
    take_lists(tone, &LIGHT);
}

#!/bin/sh
# The walk through CelebA of docs/celeba-and-utkface.md: is this person smiling? Protected: male or not. All defaults are the paper's.
# Usage: celeba.sh [CELEBA [GENERATED [OUTPUT]]]
#   CELEBA     folder with img_align_celeba/ and list_attr_celeba.txt or .csv   ($AIMFAIR_DATA/CelebA)
#   GENERATED  folder with 0_0, 0_1, 1_0, 1_1 (smiling_male), 9000 pictures or
#              more in each                                                     ($AIMFAIR_DATA/generated/Smiling_Male)
#   OUTPUT     folder for everything that is made                               (celeba-out)
# INIT names the weights to begin with, torchvision's for ImageNet: resnet18-f37072fd.pth; "random" does without.
set -eu

data=${AIMFAIR_DATA:-.}
celeba=${1:-$data/CelebA}
generated=${2:-$data/generated/Smiling_Male}
out=${3:-celeba-out}
aimfair=${AIMFAIR:-aimfair}

# The paper's numbers; less of everything makes a quick try.
target=${TARGET:-Smiling} protected=${PROTECTED:-Male} init=${INIT:-resnet18-f37072fd.pth}
bias=${BIAS:-1/9} count=${COUNT:-20000} balanced=${BALANCED:-5000} biased=${BIASED:-20000}
size=${IMAGE_SIZE:-224} batch=${BATCH:-128} epochs=${EPOCHS:-15} finetune_epochs=${FINETUNE_EPOCHS:-10} top_k=${TOP_K:-55}

for folder in "$celeba" "$generated"; do
    if [ ! -d "$folder" ]; then
        echo "celeba.sh: there is no folder '$folder'; name it, or the folder above it by AIMFAIR_DATA" >&2
        exit 2
    fi
done

echo "== 1. Manifests"
"$aimfair" data celeba --root "$celeba" --target "$target" --protected "$protected" --bias "$bias" --count "$count" -o "$out"
"$aimfair" data groups --root "$generated" --balanced "$balanced" --biased "$bias:$biased" -o "$out"

echo "== 2. The biased classifier"
"$aimfair" train --init "$init" --image-size "$size" --batch "$batch" --epochs "$epochs" --target "$target" \
    --train "$out/train.csv" --val "$out/val.csv" -o "$out/biased.safetensors"
"$aimfair" evaluate --model "$out/biased.safetensors" --data "$out/test.csv"

echo "== 3. Where the bias sits"
"$aimfair" sensitivity --model "$out/biased.safetensors" --real "$out/train.csv" --biased "$out/biased.csv" \
    --balanced "$out/balanced.csv" --batch "$batch" -o "$out/sensitivity.json" >"$out/sensitivity.txt"

echo "== 4. Fine-tuning what matters"
"$aimfair" finetune --model "$out/biased.safetensors" --sensitivity "$out/sensitivity.json" --top-k "$top_k" \
    --batch "$batch" --epochs "$finetune_epochs" --train "$out/balanced.csv" --val "$out/val.csv" -o "$out/fair.safetensors"
"$aimfair" evaluate --model "$out/fair.safetensors" --data "$out/test.csv"

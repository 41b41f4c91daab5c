#!/bin/sh
# The walk through UTKFace of docs/celeba-and-utkface.md: is this a woman? Protected: white or not.
# Usage: utkface.sh [UTKFACE [GENERATED [OUTPUT]]]
#   UTKFACE    folder of [age]_[gender]_[race]_[date].jpg        ($AIMFAIR_DATA/UTKFace)
#   GENERATED  folder with 0_0, 0_1, 1_0, 1_1 (gender_white)     ($AIMFAIR_DATA/generated/Female_White)
#   OUTPUT     folder for everything that is made                (utkface-out)
# GENERATED is what 'aimfair prompts --task Female_White' and 'aimfair generate' make.
set -eu

data=${AIMFAIR_DATA:-.}
faces=${1:-$data/UTKFace}
generated=${2:-$data/generated/Female_White}
out=${3:-utkface-out}
aimfair=${AIMFAIR:-aimfair}

# The walk-through's numbers; less of everything makes a quick try.
bias=${BIAS:-1/9} count=${COUNT:-4000} validation=${VALIDATION:-200} test=${TEST:-500}
balanced=${BALANCED:-420} biased=${BIASED:-1000}
size=${IMAGE_SIZE:-64} batch=${BATCH:-64}
epochs=${EPOCHS:-20} rate=${RATE:-0.05} milestone=${MILESTONE:-13}
finetune_epochs=${FINETUNE_EPOCHS:-10} finetune_rate=${FINETUNE_RATE:-0.03} finetune_milestone=${FINETUNE_MILESTONE:-6}
top_k=${TOP_K:-55}

for folder in "$faces" "$generated"; do
    if [ ! -d "$folder" ]; then
        echo "utkface.sh: there is no folder '$folder'; name it, or the folder above it by AIMFAIR_DATA" >&2
        exit 2
    fi
done

echo "== 1. Manifests"
"$aimfair" data utkface --root "$faces" --target gender --protected race:0 --bias "$bias" --count "$count" \
    --val-per-group "$validation" --test-per-group "$test" -o "$out"
"$aimfair" data groups --root "$generated" --balanced "$balanced" --biased "$bias:$biased" -o "$out"
# The two synthetic sets share pictures, so each is compared with the photographs by itself.
"$aimfair" data check "$out/train.csv" "$out/val.csv" "$out/test.csv" "$out/balanced.csv"
"$aimfair" data check "$out/train.csv" "$out/val.csv" "$out/test.csv" "$out/biased.csv"

echo "== 2. The biased classifier"
"$aimfair" train --init random --image-size "$size" --batch "$batch" --epochs "$epochs" --lr "$rate" \
    --milestones "$milestone" --crop-scale 0.5,1 --target gender --classes male,female \
    --train "$out/train.csv" --val "$out/val.csv" -o "$out/biased.safetensors"
"$aimfair" evaluate --model "$out/biased.safetensors" --data "$out/test.csv"

echo "== 3. Where the bias sits"
"$aimfair" sensitivity --model "$out/biased.safetensors" --real "$out/train.csv" --biased "$out/biased.csv" \
    --balanced "$out/balanced.csv" --batch "$batch" --crop-scale 0.5,1 -o "$out/sensitivity.json" >"$out/sensitivity.txt"

echo "== 4. Fine-tuning what matters"
"$aimfair" finetune --model "$out/biased.safetensors" --sensitivity "$out/sensitivity.json" --top-k "$top_k" \
    --batch "$batch" --epochs "$finetune_epochs" --lr "$finetune_rate" --milestones "$finetune_milestone" \
    --crop-scale 0.5,1 --train "$out/balanced.csv" --val "$out/val.csv" -o "$out/fair.safetensors"
"$aimfair" evaluate --model "$out/fair.safetensors" --data "$out/test.csv"

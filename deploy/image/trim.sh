#!/bin/sh
# Removes from ./node_modules what no process loads, and the symbols of native modules, which are nine tenths of
# ChromaDB's. Licences stay. Called while the image is built.
# usage: trim.sh [slim]   slim: without the embedded ChromaDB and the runtime of embedding models
set -eu
cd node_modules
find . -name '*.node' -size +1M -exec strip --strip-unneeded {} +

# TypeScript and the canvas are optional peers that nothing loads. Of PDF.js, the servers read data files only.
rm -rf typescript @napi-rs/canvas*
rm -rf pdfjs-dist/build pdfjs-dist/legacy pdfjs-dist/web pdfjs-dist/types pdfjs-dist/image_decoders

# Node runs no TypeScript below node_modules. Source maps, tests, examples and documentation are for developers of a package.
find . -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.flow' \) -delete
find . -type f \( -name '*.md' -o -name '*.markdown' \) ! -iname '*licen[cs]e*' ! -iname '*notice*' -delete
for package in */ @*/*/ */node_modules/*/ @*/*/node_modules/*/; do
  for dir in .github .claude benchmark benchmarks bench docs example examples spec test tests __tests__; do
    rm -rf "$package$dir"
  done
done

# Builds for browsers, second formats and larger variants of what is loaded.
rm -rf gpt-tokenizer/cjs gpt-tokenizer/src gpt-tokenizer/data
rm -rf rxjs/src rxjs/dist/esm rxjs/dist/esm5 rxjs/dist/bundles zod/src neo4j-driver/lib/browser libheif-js/libheif
rm -f libheif-js/libheif-wasm/libheif.* libheif-js/libheif-wasm/*.mjs swagger-ui-dist/*-es-bundle*
rm -f @e965/xlsx/dist/xlsx.* @hyzyla/pdfium/dist/pdfium.wasm.base64-*.js
find eld/src/ngrams -type f ! -name extrasmall.js -delete
# One of eight builds of Tesseract is loaded, with one of two forms of each language.
find tesseract.js-core -name 'tesseract-core*' ! -name tesseract-core-simd-lstm.js ! -name tesseract-core-simd-lstm.wasm -delete
rm -rf @tesseract.js-data/*/4.0.0

case "$(uname -m)" in
x86_64) arch=x64 ;;
aarch64) arch=arm64 ;;
esac
for dir in onnxruntime-node/bin/napi-*/*/*; do
  case "$dir" in
  */linux/"$arch") ;;
  *) rm -rf "$dir" ;;
  esac
done

if [ "${1:-}" = slim ]; then
  rm -rf chromadb-js-bindings-* onnxruntime-node onnxruntime-common
fi
find . -type d -empty -delete

"""Make the pictures of the page on words: `python examples/03_words.py`, then `python docs/words_pictures.py`."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from PIL import Image

IMAGES = Path(__file__).parent / "images" / "words"
COMPARED = Path(__file__).parents[1] / "benchmarks" / "results" / "vector_quality_cuda.jpg"
DRAWINGS = Path(__file__).parents[1] / "examples" / "drawings"
WIDEST = 720


def main() -> None:
    """Sheets as small JPEGs, the benchmark's, and the house before and after as SVG."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--made", type=Path, default=Path("out/words"), help="what the example wrote")
    args = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    for path in sorted(args.made.glob("*.png")):
        with Image.open(path) as sheet:
            image = sheet.convert("RGB")
        image.thumbnail((WIDEST, WIDEST), Image.Resampling.LANCZOS)
        image.save(IMAGES / f"{path.stem}.jpg", quality=82, optimize=True)
    shutil.copyfile(DRAWINGS / "house.svg", IMAGES / "house.svg")
    shutil.copyfile(args.made / "building.svg", IMAGES / "building.svg")
    with Image.open(COMPARED) as sheet:
        sheet.resize((WIDEST, round(sheet.height * WIDEST / sheet.width)), Image.Resampling.LANCZOS).save(
            IMAGES / "compared.jpg", quality=82, optimize=True
        )
    size = sum(path.stat().st_size for path in IMAGES.iterdir())
    print(f"{IMAGES}: {size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

"""The studio: Pliant in the browser. A FastAPI app around the catalogue of edits; the page is in `web/`."""

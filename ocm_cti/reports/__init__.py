"""Reports as people and programs read them: figures, words, and the files CSV, XLSX, PDF and JSON."""

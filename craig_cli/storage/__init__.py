"""Where bytes lie: names parsed, files written whole or not at all, temporary rows on disk."""

"""Where bytes lie: names of files and stores, writing whole or not at all, temporary rows on disk."""

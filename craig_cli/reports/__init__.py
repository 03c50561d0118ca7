"""What a person, or --json, is told of a run; pictures and pages beside."""

"""From words to telephone audio: prompts, spoken numbers, synthesizers in their own process."""

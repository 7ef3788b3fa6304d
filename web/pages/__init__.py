"""The pages of the panel, one blueprint for each noun."""

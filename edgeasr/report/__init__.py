"""Results for people: cards, pages, tables."""

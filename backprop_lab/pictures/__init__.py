"""Pictures of graphs: layout, cards, and the one renderer to SVG."""

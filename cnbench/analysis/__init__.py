"""What results say before anything is drawn: rows, comparisons, curves, published figures."""

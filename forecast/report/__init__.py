"""What a person sees of a result: the verdict, the table of metrics, the picture, the figures as CSV."""

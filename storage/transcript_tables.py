"""Tables of transcripts and the work owed on them."""

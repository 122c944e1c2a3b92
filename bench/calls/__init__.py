"""What our path adds to a call: rates against bare dialplan, menu turns, event ingest, memory."""

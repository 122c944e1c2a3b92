"""The supervisor's pages: who is there, who let it ring."""

"""Pages of inquiries, work orders and complaints."""

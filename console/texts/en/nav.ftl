# Words of the menu; areas register theirs in console/navigation.py.

nav-now = Live
nav-quality = Quality
nav-desk = Desk
nav-figures_of_day = Figures
nav-operations = Operations
nav-administration = Administration

nav-board = Live board
nav-inbox = My tasks
nav-cases = Complaints
nav-orders = Work orders
nav-inquiries = Inquiries
nav-case_figures = Complaint statistics

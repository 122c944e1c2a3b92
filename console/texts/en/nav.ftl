# Words of the menu; areas register theirs in console/navigation.py.

nav-now = Live
nav-quality = Quality
nav-desk = Desk
nav-figures_of_day = Figures
nav-operations = Operations
nav-administration = Administration

nav-board = Live board
nav-calls = Calls
nav-search = Search
nav-figures = Figures
nav-agent_desk = Desk
nav-callbacks = Call-backs
nav-day = My day
nav-inbox = My tasks
nav-cases = Complaints
nav-orders = Work orders
nav-inquiries = Inquiries
nav-case_figures = Complaint statistics
nav-team = Agents
nav-ops = Systems
nav-menu = Voice menu
nav-rules = Rules
nav-retention = Retention
nav-holds = Legal holds
nav-custody = Custody
nav-settings = Settings

nav-people = People and roles
nav-access_log = Access log

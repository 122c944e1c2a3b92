# Texts of the live board in English. The folder zh-CN has the same messages; a test compares them.

page-name = Sansheng hotline
page-title = Live board
page-console = Console
page-skip = Skip to the board
page-other_language = 中文
page-no_script = Updating needs JavaScript; you see the moment at which the page was opened.

status-live = Live
status-lost = Disconnected
status-age = updated { $s } s ago
status-lost_banner = The connection to the server is lost; reconnecting. What you see is from
status-ledger_silent = The ledger has not given today's figures yet.

link-up = Asterisk connected
link-down = Asterisk not connected
link-stale = Asterisk: comparing

link_banner-down = The management link to Asterisk is down. Calls go on, but agents, queues and calls below are as they were before. Reconnecting.
link_banner-stale = Just reconnected to Asterisk; agents, queues and calls are being compared and will be right in a moment.

figures-heading = Today
figures-k1 = Answer rate
figures-k2 = Answered in three rings
figures-k2r = Rings kept by agents
figures-k1_note = answered ÷ asked for a person
figures-k2_note = heard one within { $limit } s ÷ asked
figures-k2r_note = picked up within { $limit } s ÷ offers
figures-arrived = Calls
figures-asked = for a person
figures-abandoned = Abandoned
figures-callbacks = To call back
figures-missing = Unrecorded

queues-heading = Queues
queues-waiting = waiting
queues-longest = longest wait
queues-ready = agents ready
queues-nobody = nobody waits

agents-heading = Agents
agents-all_sections = all sections
agents-empty = No agent is logged in: agents dial *11 on their telephone to log in, *12 to log out.

calls-heading = Calls in progress
calls-id = Arrived
calls-section = Section
calls-language = Language
calls-stage = Stage
calls-agent = Agent
calls-elapsed = Elapsed
calls-priority = priority
calls-ringing = ringing
calls-empty = No calls at the moment. When somebody dials the hotline, the call appears here at once.

rings-now = ring { $n }
rings-over = over { $n }

state-logged_out = Logged out
state-ready = Ready
state-ringing = Ringing
state-talking = Talking
state-wrap_up = Wrap-up
state-paused = Paused
state-unreachable = Offline

reason-let-it-ring = let it ring
reason-break = break
reason-meal = meal
reason-training = training
reason-paperwork = paperwork
reason-supervisor_talk = talk with the supervisor

stage-menu = Menu
stage-queue = Waiting
stage-talk = Talking
stage-survey = Rating

language-zh-CN = Mandarin
language-ko = Korean
language-en = English

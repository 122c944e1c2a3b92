# The list of call-backs.

callbacks-title = Call-backs
callbacks-lead = By the promised time, key customers first. Your telephone rings first; when you pick up, the caller is called.
callbacks-none = No call-back is due now.
callbacks-next = Take the next
callbacks-chosen = Call-back { $number }
callbacks-telephone = Telephone
callbacks-origin = Why
callbacks-due = Promised for
callbacks-about = About
callbacks-the_call = the call
callbacks-attempt = Attempt
callbacks-attempts = Attempts
callbacks-at = At
callbacks-agent = Agent
callbacks-outcome = Outcome
callbacks-take = Take
callbacks-take_this = Take call-back { $number }
callbacks-dial = Dial
callbacks-let_go = Put back
callbacks-dialling = Dialling: pick up your telephone.
callbacks-refresh = Refresh
callbacks-result = Result
callbacks-save_result = Write down
callbacks-choose_result = Choose a result; a remark has 500 letters at most.
callbacks-not_reached_yet = nobody was reached yet, so nothing is settled
callbacks-refused = Not done: { $why }
callbacks-waiting = Waiting
callbacks-nobody_waits = Nobody waits to be called back.
callbacks-number = Number
callbacks-state = State
callbacks-not_before = not before { $when }

callback_result-settled = reached and settled
callback_result-not_the_caller = not the caller; try again later
callback_result-wrong_number = wrong number
callback_result-declined = not wanted any more

callback_outcome-reached = reached
callback_outcome-no_answer = no answer
callback_outcome-busy = busy
callback_outcome-unreachable = unreachable
callback_outcome-agent_left = agent hung up first
callback_outcome-agent_missed = agent did not pick up
callback_outcome-not_dialled = not dialled
callback_outcome-unknown = unknown

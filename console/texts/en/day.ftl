# An agent's own day.

day-title = My day
day-lead = { $day }, agent { $agent }. Every number opens to the calls behind it.
day-days = Another day
day-earlier = The day before
day-later = The day after
day-own_calls = This day's calls
day-provisional = provisional
day-version = definition { $version }
day-unfiled = Calls to file
day-unfiled_note = answered in the last 7 days
day-callbacks = Call-backs dialled
day-callbacks_reached = { $reached } reached
day-not_invited = Not invited to rate
day-of_invitations = of { $all } callers who stayed on the line
day-scores = Latest scores
day-no_scores = No scores yet.
day-all_scores = All scores, and appeals
day-tasks = Coaching
day-no_tasks = No task is open.
day-task_due = due { $day }
day-all_tasks = All tasks

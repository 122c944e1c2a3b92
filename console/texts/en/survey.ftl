# The survey behind a one-time link.

survey-title = Your opinion
survey-intro = You have called us. Please rate the call; it takes less than a minute.
survey-incomplete = Something is not answered yet.
survey-missing = Please choose one.
survey-send = Send
survey-thanks = Thank you for your rating
survey-over = You may close this page.
survey-gone = This link is no longer good
survey-why_gone = It can be used once, and for a few days only. Thank you all the same.

# The public form: complaints, questions, progress.

intake-title = Write to us
intake-lead = Send a complaint, a suggestion or a question here, or call { $number }; complaints are taken 24 hours a day.
intake-complaint = Complaint or suggestion
intake-complaint_note = About service, facilities, safety, cleanliness and more.
intake-question = Question
intake-question_note = What has to be looked up; you are called within the time that is promised.
intake-progress = Progress
intake-progress_note = By receipt number and the last four digits of your telephone.
intake-write = Write
intake-look = Look up
intake-form_lead = It is registered at once, and you get a number. If it is urgent, call { $number }.
intake-please_choose = Please choose
intake-type = What it is about
intake-category = What it is about
intake-content = What happened, or what you want to know
intake-content_hint = With train or station, if there is one. No identity or bank card numbers, please.
intake-occurred_at = When
intake-place = Where
intake-name = Your name
intake-contact = Telephone
intake-contact_hint = To reply to you; its last four digits open the page of progress.
intake-trap = Leave this empty
intake-consent = What I wrote may be used to deal with this matter, and for nothing else
intake-send = Send
intake-received = Received
intake-thanks = It is registered. Thank you for telling us.
intake-number = Receipt number
intake-keep_number = Keep this number. With it and the last four digits of your telephone you can look up how far it is, or call { $number }.
intake-status_lead = The receipt number, and the last four digits of the telephone number that you gave.
intake-digits = Last four digits of the telephone
intake-digits_hint = four digits
intake-received_on = Received on
intake-last_on = Last step on
intake-call_for_more = For more, call { $number } and say the number.
intake-promise = an answer by { $when } (asked over the web)
intake-place_hint = Station, train, line; "not known" will do.
intake-files = Files (if you like)
intake-files_hint = Three at most: photographs, PDF, documents or recordings, up to { $mb } MB each.
intake-file = File { $n }
intake-files_again = Browsers do not keep files: please choose them again.
intake-left_out = These files could not be taken; what you wrote is registered:

intake_type-service = service
intake_type-facilities = facilities
intake_type-safety = safety
intake_type-sanitation = cleanliness
intake_type-other = something else

intake_wrong-missing = Please fill this in.
intake_wrong-short = Please say a little more.
intake_wrong-long = This is too long.
intake_wrong-unknown = Please choose from the list.
intake_wrong-phone = Please give a telephone number at which you can be reached.
intake_wrong-time = This cannot be: it lies in the future, or is no time.
intake_wrong-consent = Without your consent it cannot be taken.

intake_trouble-incomplete = Something is missing; all that you wrote is still here.
intake_trouble-over = The page was open for too long. Please look it over and send it again.
intake_trouble-machine = Not sent: one field is to be left empty. Please look it over and send it again, or call { $number }.
intake_trouble-too_soon = That was very fast. Please look it over and send it again.
intake_trouble-too_many = Too many are writing at the moment. Please try again later; if it is urgent, call { $number }.
intake_trouble-sent_before = This was sent already. To tell us of something else, please send it once more.
intake_trouble-no_match = Not found: please check the number and the four digits.
intake_trouble-locked = Too many attempts. Please try again tomorrow, or call { $number }.

intake_progress-received = Received
intake_progress-in_hand = In hand
intake_progress-settled = Settled, being checked
intake_progress-told = Answered
intake_progress-closed = Closed

intake_meaning-received = It is registered and will be passed to who settles it.
intake_meaning-in_hand = The department is working on it.
intake_meaning-settled = The department has a result; we check it and then call you.
intake_meaning-told = We have told you the result. If you are not satisfied, tell us.
intake_meaning-closed = It is closed. If there is something new, write again.

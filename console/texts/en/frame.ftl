# What every page shares: frame, menu, pieces, refusals. The folder zh-CN has the same messages; a test compares them.

frame-name = Sansheng hotline
frame-skip = Skip to the content
frame-menu = Main menu
frame-other_language = 中文
frame-sign_out = Sign out

ui-pages = Pages
ui-first = First page
ui-next = Next page
ui-show = Show
ui-required = required

refusal-home = To the start page
refusal-title_400 = Not understood
refusal-text_400 = What was sent cannot be read. Go back and try again.
refusal-title_401 = Sign in first
refusal-text_401 = The session is over. Sign in again.
refusal-title_403 = Not allowed
refusal-text_403 = Your role does not include this, or the page had been open for too long. If you need it, ask an administrator.
refusal-title_404 = Not found
refusal-text_404 = There is no such page or record, or it is not within your reach.
refusal-title_405 = Not supported
refusal-text_405 = This address does not take such requests.
refusal-title_409 = Changed meanwhile
refusal-text_409 = This record was changed while you worked on it. Open it again and try once more.
refusal-title_413 = Too large
refusal-text_413 = What was sent is larger than is allowed here.
refusal-title_429 = Too many requests
refusal-text_429 = Wait a moment and try again.
refusal-title_500 = Something failed
refusal-text_500 = The system could not do this, and has noted why. Try again later.
refusal-title_503 = The data cannot be read at the moment
refusal-text_503 = The database cannot be reached; calls are being answered all the same. Try again later.

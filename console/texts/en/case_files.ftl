# Files of a case.

case_files-title = Files
case_files-name = Name
case_files-size = Size
case_files-kind = Kind
case_files-added_at = Added
case_files-added_by = By
case_files-kilobytes = { $n } KB
case_files-none = There are no files yet.
case_files-add = Add a file
case_files-file = File
case_files-added = The file is kept, encrypted.

case_files_kind-image = picture
case_files_kind-audio = sound
case_files_kind-pdf = PDF
case_files_kind-document = document
case_files_kind-text = text

public_file-empty = the file is empty
public_file-large = the file is too large
public_file-many = too many files
public_file-kind = this kind of file is not taken
public_file-later = it cannot be kept at the moment: please add it through the hotline
public_file-harmful = it was found to be harmful
public_file-unscanned = it cannot be checked for harm at the moment: try again later
case_files-hint = Photographs, PDF, documents or recordings, up to { $mb } MB.

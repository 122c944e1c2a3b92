# Files of a case.

case_files-title = Files
case_files-name = Name
case_files-size = Size
case_files-added_at = Added
case_files-added_by = By
case_files-kilobytes = { $n } KB
case_files-none = There are no files yet.
case_files-add = Add a file
case_files-file = File
case_files-added = The file is kept, encrypted.

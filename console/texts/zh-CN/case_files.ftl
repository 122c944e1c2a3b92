# Files of a case.

case_files-title = 附件
case_files-name = 文件名
case_files-size = 大小
case_files-added_at = 添加时间
case_files-added_by = 添加人
case_files-kilobytes = { $n } KB
case_files-none = 还没有附件。
case_files-add = 添加附件
case_files-file = 选择文件
case_files-added = 附件已加密保存。

# Files of a case.

case_files-title = 附件
case_files-name = 文件名
case_files-size = 大小
case_files-kind = 类型
case_files-added_at = 添加时间
case_files-added_by = 添加人
case_files-kilobytes = { $n } KB
case_files-none = 还没有附件。
case_files-add = 添加附件
case_files-file = 选择文件
case_files-added = 附件已加密保存。

case_files_kind-image = 照片
case_files_kind-audio = 录音
case_files_kind-pdf = PDF
case_files_kind-document = 文档
case_files_kind-text = 文本

public_file-empty = 文件是空的
public_file-large = 文件太大
public_file-many = 附件太多
public_file-kind = 不支持这种文件
public_file-later = 暂时无法保存，请通过热线补充
public_file-harmful = 未通过安全检查
public_file-unscanned = 暂时无法做安全检查，请稍后再试
case_files-hint = 照片、PDF、文档或录音，不超过 { $mb } MB。

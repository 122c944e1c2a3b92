# 各页共用：框架、导航、组件、拒绝页。en 文件夹中有同样的条目，由测试比对。

frame-name = 三声热线
frame-skip = 跳到正文
frame-menu = 主菜单
frame-other_language = English
frame-sign_out = 退出

ui-pages = 翻页
ui-first = 回到第一页
ui-next = 下一页
ui-show = 查询
ui-required = 必填

refusal-home = 回到首页
refusal-title_400 = 请求无法识别
refusal-text_400 = 提交的内容无法读取，请返回重试。
refusal-title_401 = 请先登录
refusal-text_401 = 会话已经结束，请重新登录。
refusal-title_403 = 没有权限
refusal-text_403 = 您的角色不包含这项操作，或者该页面已过期。如确需使用，请联系管理员。
refusal-title_404 = 没有找到
refusal-text_404 = 该页面或记录不存在，或者不在您的权限范围内。
refusal-title_405 = 不支持的操作
refusal-text_405 = 这个地址不接受此类请求。
refusal-title_409 = 内容已被更改
refusal-text_409 = 在您操作期间，这条记录已有变动。请重新打开后再试。
refusal-title_413 = 内容太大
refusal-text_413 = 提交的内容超过了允许的大小。
refusal-title_429 = 请求过于频繁
refusal-text_429 = 请稍等片刻再试。
refusal-title_500 = 系统出错
refusal-text_500 = 系统未能完成这次操作，错误已记录。请稍后再试。
refusal-title_503 = 暂时无法读取数据
refusal-text_503 = 数据库暂时无法访问，来电接听不受影响。请稍后再试。

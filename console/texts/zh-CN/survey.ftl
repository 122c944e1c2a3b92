# 一次性链接里的满意度问卷。

survey-title = 服务评价
survey-intro = 您近期致电过我们。请评价这次服务，不到一分钟即可完成。
survey-incomplete = 还有题目没有作答。
survey-missing = 请选择一项。
survey-send = 提交
survey-thanks = 感谢您的评价
survey-over = 您可以关闭此页面。
survey-gone = 链接已失效
survey-why_gone = 链接只能使用一次，且数天内有效。感谢您的支持。

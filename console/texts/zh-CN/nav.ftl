# 导航栏文字，各模块在 console/navigation.py 中登记。

nav-now = 实时
nav-quality = 质量
nav-desk = 受理
nav-figures_of_day = 指标
nav-operations = 运行
nav-administration = 管理

nav-board = 实时看板
nav-calls = 通话记录
nav-search = 文字检索
nav-figures = 指标
nav-agent_desk = 座席工作台
nav-callbacks = 回拨列表
nav-day = 我的一天
nav-inbox = 我的待办
nav-cases = 投诉台账
nav-orders = 工单
nav-inquiries = 咨询
nav-case_figures = 投诉统计
nav-team = 座席管理
nav-ops = 系统运行
nav-menu = 语音菜单
nav-rules = 质检规则
nav-retention = 保存期限
nav-holds = 司法保全
nav-custody = 录音留存
nav-settings = 系统设置

nav-people = 人员与角色
nav-access_log = 访问记录

# Texts of the live board in Chinese. The folder en has the same messages; a test compares them.

page-name = 三声热线
page-title = 热线实况
page-console = 工作台
page-skip = 跳到实况
page-other_language = English
page-no_script = 自动更新需要启用 JavaScript；现在看到的是打开页面时的情况。

status-live = 实时
status-lost = 已断开
status-age = { $s } 秒前更新
status-lost_banner = 与服务器的连接已断开，正在自动重连。以下内容停在
status-ledger_silent = 台账尚未给出今日数据。

link-up = Asterisk 已连接
link-down = Asterisk 未连接
link-stale = Asterisk 核对中

link_banner-down = 与 Asterisk 的管理连接已断开：来电不受影响，但座席、排队和通话停在断开前的状态。正在自动重连。
link_banner-stale = 刚与 Asterisk 重新连接，正在核对座席、排队和通话，马上就好。

figures-heading = 今日指标
figures-k1 = 接通率
figures-k2 = 三声接听率
figures-k2r = 座席应答达标率
figures-k1_note = 接通 ÷ 要求人工
figures-k2_note = { $limit } 秒内听到人工 ÷ 要求人工
figures-k2r_note = { $limit } 秒内应答 ÷ 振铃座席次数
figures-arrived = 来电
figures-asked = 要求人工
figures-abandoned = 放弃等待
figures-callbacks = 待回拨
figures-missing = 缺录音

queues-heading = 排队
queues-waiting = 等待
queues-longest = 最长等待
queues-ready = 空闲座席
queues-nobody = 无人等待

agents-heading = 座席
agents-all_sections = 全部科室
agents-empty = 没有座席登录：座席用自己的话机拨 *11 即可登录，*12 退出。

calls-heading = 进行中的通话
calls-id = 来电时间
calls-section = 科室
calls-language = 语言
calls-stage = 阶段
calls-agent = 座席
calls-elapsed = 时长
calls-priority = 优先
calls-ringing = 振铃中
calls-empty = 现在没有通话。有人拨入热线，这里会立即出现。

rings-now = 第 { $n } 声
rings-over = 超 { $n } 声

state-logged_out = 未登录
state-ready = 空闲
state-ringing = 振铃
state-talking = 通话
state-wrap_up = 整理
state-paused = 示忙
state-unreachable = 话机离线

reason-let-it-ring = 三声未接
reason-break = 休息
reason-meal = 用餐
reason-training = 培训
reason-paperwork = 处理工单
reason-supervisor_talk = 与班长沟通

stage-menu = 菜单
stage-queue = 等待人工
stage-talk = 通话
stage-survey = 评价

language-zh-CN = 普通话
language-ko = 韩语
language-en = 英语

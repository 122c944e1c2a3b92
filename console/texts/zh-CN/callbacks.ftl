# 回拨列表。

callbacks-title = 回拨列表
callbacks-lead = 按约定时间排列，重点客户在前。系统先呼叫您的话机，您接起后再呼叫来电人。
callbacks-none = 现在没有到时间的回拨。
callbacks-next = 领取下一个
callbacks-chosen = 回拨 { $number }
callbacks-telephone = 电话
callbacks-origin = 来由
callbacks-due = 约定时间
callbacks-about = 相关
callbacks-the_call = 原通话
callbacks-attempt = 次序
callbacks-attempts = 拨打次数
callbacks-at = 时间
callbacks-agent = 座席
callbacks-outcome = 结果
callbacks-take = 领取
callbacks-take_this = 领取回拨 { $number }
callbacks-dial = 拨打
callbacks-let_go = 放回列表
callbacks-dialling = 正在拨打，请接听您的话机。
callbacks-refresh = 刷新
callbacks-result = 回拨结果
callbacks-save_result = 记录结果
callbacks-choose_result = 请选择回拨结果；备注不超过 500 字。
callbacks-not_reached_yet = 还没有接通，不能记为已办妥
callbacks-refused = 没有办成：{ $why }
callbacks-waiting = 待回拨
callbacks-nobody_waits = 没有待回拨的来电人。
callbacks-number = 编号
callbacks-state = 状态
callbacks-not_before = { $when } 后再拨

callback_result-settled = 已接通并办妥
callback_result-not_the_caller = 接听的不是本人，稍后再拨
callback_result-wrong_number = 号码有误
callback_result-declined = 来电人表示不需要了

callback_outcome-reached = 接通
callback_outcome-no_answer = 无人接听
callback_outcome-busy = 占线
callback_outcome-unreachable = 无法接通
callback_outcome-agent_left = 座席先挂断
callback_outcome-agent_missed = 座席话机未接
callback_outcome-not_dialled = 未拨出
callback_outcome-unknown = 结果不明

# 座席“我的一天”。

day-title = 我的一天
day-lead = { $day }，工号 { $agent }。每个数字都可以点开，查看对应的通话。
day-days = 换一天
day-earlier = 前一天
day-later = 后一天
day-own_calls = 当天的通话
day-provisional = 暂定
day-version = 口径第 { $version } 版
day-unfiled = 未登记的通话
day-unfiled_note = 最近 7 天接听
day-callbacks = 回拨次数
day-callbacks_reached = 接通 { $reached } 次
day-not_invited = 漏邀评价
day-of_invitations = 应邀 { $all } 通；来电人仍在线，却没有听到评价邀请
day-scores = 最近的质检得分
day-no_scores = 还没有质检得分。
day-all_scores = 全部得分与申诉
day-tasks = 辅导任务
day-no_tasks = 没有待办的辅导任务。
day-task_due = { $day } 前完成
day-all_tasks = 全部任务

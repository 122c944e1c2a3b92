# 公众网页：投诉、咨询与进度查询。

intake-title = 网上受理
intake-lead = 可在此提交投诉、建议或咨询，也可拨打 { $number }，投诉 24 小时受理。
intake-complaint = 投诉与建议
intake-complaint_note = 对服务、设施、安全、卫生等方面的投诉或建议。
intake-question = 咨询
intake-question_note = 需要查询后答复的问题，将在承诺的时间内联系您。
intake-progress = 查询进度
intake-progress_note = 凭受理编号和联系电话后四位查询。
intake-write = 填写
intake-look = 查询
intake-form_lead = 提交后立即登记并给出受理编号。情况紧急请直接拨打 { $number }。
intake-please_choose = 请选择
intake-type = 投诉类别
intake-category = 咨询类别
intake-content = 内容
intake-content_hint = 请写明经过、车次或站点等；不要填写身份证号、银行卡号。
intake-occurred_at = 发生时间
intake-place = 发生地点
intake-name = 称呼
intake-contact = 联系电话
intake-contact_hint = 用于回复您；查询进度时需要后四位。
intake-trap = 请勿填写此项
intake-consent = 同意仅为处理本次来件而使用我填写的信息
intake-send = 提交
intake-received = 已受理
intake-thanks = 您的来件已登记，感谢您的反映。
intake-number = 受理编号
intake-keep_number = 请记下编号。凭编号和联系电话后四位可随时查询进度，也可拨打 { $number }。
intake-status_lead = 请输入受理编号和当时留下的联系电话的后四位。
intake-digits = 联系电话后四位
intake-digits_hint = 四位数字
intake-received_on = 受理日期
intake-last_on = 最近进展
intake-call_for_more = 如需了解详情，请拨打 { $number } 并报受理编号。
intake-promise = 承诺于 { $when } 前答复（网上咨询）
intake-place_hint = 车站、车次、线路等；不清楚可写“不详”。
intake-files = 附件（可不填）
intake-files_hint = 最多三个：照片、PDF、文档或录音，每个不超过 { $mb } MB。
intake-file = 附件 { $n }
intake-files_again = 浏览器不会保留附件，请重新选择。
intake-left_out = 以下附件未能收下，您的来件本身已经登记：

intake_type-service = 服务质量
intake_type-facilities = 设施设备
intake_type-safety = 安全
intake_type-sanitation = 环境卫生
intake_type-other = 其他

intake_wrong-missing = 请填写此项。
intake_wrong-short = 请写得具体一些。
intake_wrong-long = 太长了，请精简。
intake_wrong-unknown = 请从列表中选择。
intake_wrong-phone = 请填写能联系到您的电话号码。
intake_wrong-time = 时间有误，不能晚于现在。
intake_wrong-consent = 需要您同意后才能受理。

intake_trouble-incomplete = 还有几处需要补充，已填写的内容都在。
intake_trouble-over = 页面停留过久，请核对内容后再提交一次。
intake_trouble-machine = 未能提交：有一项应留空。请核对内容后再提交一次；仍不成功请拨打 { $number }。
intake_trouble-too_soon = 提交得太快了，请核对内容后再提交一次。
intake_trouble-too_many = 提交的人太多，请稍后再试；紧急情况请拨打 { $number }。
intake_trouble-sent_before = 这份来件已经提交过。如需另外反映，请再提交一次。
intake_trouble-no_match = 没有找到：请核对受理编号和电话后四位。
intake_trouble-locked = 查询次数过多，请明天再试，或拨打 { $number }。

intake_progress-received = 已受理
intake_progress-in_hand = 办理中
intake_progress-settled = 已办理，正在核实
intake_progress-told = 已答复
intake_progress-closed = 已办结

intake_meaning-received = 来件已登记，即将转交承办部门。
intake_meaning-in_hand = 承办部门正在办理。
intake_meaning-settled = 承办部门已有结果，我们正在核实，随后与您联系。
intake_meaning-told = 我们已将结果告知您；如不满意可继续反映。
intake_meaning-closed = 此件已办结；如有新的情况可再次反映。

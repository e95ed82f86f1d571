import CEventProtobuf

/// One record of an event file before it becomes bytes: a plain value around the C structs that
/// protobuf-c generated from `events.proto`.
struct EventMessage {
  /// What an event may say.
  enum Content {
    /// The first record of every file.
    case fileVersion(String)
    /// Named numbers of one step.
    case scalars([(tag: String, value: Float)])
    /// A picture as PNG bytes.
    case image(tag: String, height: Int, width: Int, png: [UInt8])
    /// A run starts (again): readers forget what earlier files said of this step and later ones.
    case start
  }

  /// Seconds since 1970.
  var wallTime: Double
  /// Finished updates.
  var step: Int64
  /// What the event says.
  var content: Content

  /// The record as protocol buffer bytes.
  func encoded() -> [UInt8] {
    var event = EventFile__Event()
    event_file__event__init(&event)
    event.wall_time = wallTime
    event.step = step
    switch content {
    case .fileVersion(let version):
      return withCString(version) { text in
        event.file_version = text
        event.what_case = EVENT_FILE__EVENT__WHAT_FILE_VERSION
        return pack(&event)
      }
    case .scalars(let scalars):
      return withSummary(scalars.map { (tag: $0.tag, value: Value.scalar($0.value)) }) { summary in
        event.summary = summary
        event.what_case = EVENT_FILE__EVENT__WHAT_SUMMARY
        return pack(&event)
      }
    case .image(let tag, let height, let width, let png):
      return withImage(height: height, width: width, png: png) { image in
        withSummary([(tag: tag, value: .image(image))]) { summary in
          event.summary = summary
          event.what_case = EVENT_FILE__EVENT__WHAT_SUMMARY
          return pack(&event)
        }
      }
    case .start:
      var log = EventFile__SessionLog()
      event_file__session_log__init(&log)
      log.status = EVENT_FILE__SESSION_LOG__SESSION_STATUS__START
      return withUnsafeMutablePointer(to: &log) { log in
        event.session_log = log
        event.what_case = EVENT_FILE__EVENT__WHAT_SESSION_LOG
        return pack(&event)
      }
    }
  }

  private enum Value {
    case scalar(Float)
    case image(UnsafeMutablePointer<EventFile__Image>)
  }

  private func pack(_ event: inout EventFile__Event) -> [UInt8] {
    let size = event_file__event__get_packed_size(&event)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = event_file__event__pack(&event, buffer.baseAddress)
    }
  }

  /// Passes `text` to `body` as the mutable C string that the generated structs ask for (they only read it).
  private func withCString<R>(_ text: String, _ body: (UnsafeMutablePointer<CChar>) -> R) -> R {
    var bytes = Array(text.utf8CString)
    return bytes.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
  }

  private func withImage(
    height: Int, width: Int, png: [UInt8], _ body: (UnsafeMutablePointer<EventFile__Image>) -> [UInt8]
  ) -> [UInt8] {
    var png = png
    return png.withUnsafeMutableBufferPointer { bytes in
      var image = EventFile__Image()
      event_file__image__init(&image)
      image.height = Int32(height)
      image.width = Int32(width)
      image.colorspace = 3  // RGB
      image.encoded_image_string = ProtobufCBinaryData(len: bytes.count, data: bytes.baseAddress)
      return withUnsafeMutablePointer(to: &image, body)
    }
  }

  /// Passes a summary of tagged values to `body`. All C memory it needs lives as long as `body` runs.
  private func withSummary(
    _ values: [(tag: String, value: Value)], _ body: (UnsafeMutablePointer<EventFile__Summary>) -> [UInt8]
  ) -> [UInt8] {
    // All tags in one buffer, each with its closing zero.
    var tags: [CChar] = []
    let starts = values.map { value in
      defer { tags += value.tag.utf8CString }
      return tags.count
    }
    return tags.withUnsafeMutableBufferPointer { tags in
      var messages = zip(values, starts).map { value, start in
        var message = EventFile__Summary__Value()
        event_file__summary__value__init(&message)
        message.tag = tags.baseAddress! + start
        switch value.value {
        case .scalar(let number):
          message.simple_value = number
          message.value_case = EVENT_FILE__SUMMARY__VALUE__VALUE_SIMPLE_VALUE
        case .image(let image):
          message.image = image
          message.value_case = EVENT_FILE__SUMMARY__VALUE__VALUE_IMAGE
        }
        return message
      }
      return messages.withUnsafeMutableBufferPointer { messages in
        var pointers = messages.indices.map { index in messages.baseAddress.map { $0 + index } }
        return pointers.withUnsafeMutableBufferPointer { pointers in
          var summary = EventFile__Summary()
          event_file__summary__init(&summary)
          summary.n_value = pointers.count
          summary.value = pointers.baseAddress
          return withUnsafeMutablePointer(to: &summary, body)
        }
      }
    }
  }
}

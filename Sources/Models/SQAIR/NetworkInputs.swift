/// The inputs of the step network of propagation, `prop.rnn` (section 4.2, step 4).
struct PropagationStepInput: BitwiseCopyable {
  /// What the first glimpse shows.
  let seen: InputBlock
  /// The sample of the slot before.
  let previousWhat: InputBlock
  let previousWhere: InputBlock
  let previousPresence: InputBlock
  /// The object at the frame before.
  let what: InputBlock
  let whereLogits: InputBlock
  let presence: InputBlock
  let temporal: InputBlock

  init(_ c: SQAIRConfiguration) {
    seen = InputBlock(size: c.what)
    previousWhat = seen.next(c.what)
    previousWhere = previousWhat.next(4)
    previousPresence = previousWhere.next(1)
    what = previousPresence.next(c.what)
    whereLogits = what.next(4)
    presence = whereLogits.next(1)
    temporal = presence.next(c.hidden)
  }

  var all: InputBlock { seen.through(temporal) }
  /// What comes from the slot before.
  var previousSlot: InputBlock { previousWhat.through(previousPresence) }
  /// What comes from the frame before.
  var past: InputBlock { what.through(temporal) }
}

/// The inputs of the gated recurrent unit of propagation, `prop.temporal` (section 4.2, step 7).
struct TemporalInput: BitwiseCopyable {
  /// Hidden state of the step network.
  let hidden: InputBlock
  let whereLogits: InputBlock
  /// Location and scale of what the second glimpse shows.
  let glimpse: InputBlock

  init(_ c: SQAIRConfiguration) {
    hidden = InputBlock(size: c.hidden)
    whereLogits = hidden.next(4)
    glimpse = whereLogits.next(2 * c.what)
  }

  var all: InputBlock { hidden.through(glimpse) }
}

/// The inputs of the step network of discovery, `disc.rnn` (section 5.2, step 1).
struct DiscoveryStepInput: BitwiseCopyable {
  /// The image code.
  let code: InputBlock
  /// `cond`; empty if nothing is ever propagated.
  let summary: InputBlock
  /// The sample of the slot before.
  let previousWhat: InputBlock
  let previousWhere: InputBlock
  let previousPresence: InputBlock

  init(_ c: SQAIRConfiguration, followsPropagation: Bool) {
    code = InputBlock(size: c.hidden)
    summary = code.next(followsPropagation ? c.hidden : 0)
    previousWhat = summary.next(c.what)
    previousWhere = previousWhat.next(4)
    previousPresence = previousWhere.next(1)
  }

  var all: InputBlock { code.through(previousPresence) }
  /// What changes from slot to slot: the slot before is always present.
  var previousSlot: InputBlock { previousWhat.through(previousWhere) }
}

/// The inputs of the conditioning layer of the where-prior, `disc.prior.where.cond` (section 5.4).
struct ConditioningInput: BitwiseCopyable {
  /// The cell's initial state.
  let initialState: InputBlock
  /// `cond`; empty if nothing is ever propagated.
  let summary: InputBlock
  /// The expected propagation e.
  let expected: InputBlock

  init(_ c: SQAIRConfiguration, followsPropagation: Bool) {
    initialState = InputBlock(size: 4)
    summary = initialState.next(followsPropagation ? c.hidden : 0)
    expected = summary.next(1)
  }

  var all: InputBlock { initialState.through(expected) }
}

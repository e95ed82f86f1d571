import Models
import Report
import Runs

extension GenerationResult {
  /// The picture of one example: the truth on top, one row per continuation below.
  package func figure(
    of example: Int, in data: SequenceBatch, _ configuration: SQAIRConfiguration, title: String
  ) -> SequenceFigure {
    GenerationPicture(self, example: example, data, configuration).frames(title: title)
  }
}

/// Fixed sets of distinguishable colours, for readers with and without full colour vision.
public enum Palette {
  /// Colours of object identities, drawn over dark frames.
  ///
  /// Chosen as ten light colours whose smallest distance (CIE 1976 Lab, under normal vision and under simulated
  /// deuteranopia and protanopia, Machado et al. 2009) is as large as a search could make it; the
  /// first ones lie furthest apart.
  public static let identities: [Color] = [
    0xFFDF00, 0x0080FF, 0xFF334C, 0x00FFFF, 0xD9629D, 0x00FF9F, 0xD98700, 0x00BFFF, 0x50B275, 0xCAD962,
  ].map { Color($0) }

  /// Colours of the lines of a chart on a white page (Okabe and Ito 2008, without their yellow).
  public static let lines: [Color] = [
    0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x555555,
  ].map { Color($0) }

  /// The colour of an identity: ids ten apart share one; an unknown identity (negative) is grey.
  public static func color(ofIdentity id: Int) -> Color {
    id < 0 ? Color(0xBFC4CC) : identities[id % identities.count]
  }
}

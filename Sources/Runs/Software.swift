/// Version of this program, for `--version` and for the record in files.
public let softwareVersion = "0.1.0"

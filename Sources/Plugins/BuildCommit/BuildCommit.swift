import Foundation
import PackagePlugin

/// Writes the commit of the sources into a Swift file of the target, before every build; see `scripts/write-commit`.
@main
struct BuildCommit: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let script = context.package.directoryURL.appending(path: "scripts/write-commit")
    let folder = context.pluginWorkDirectoryURL
    return [
      .prebuildCommand(
        displayName: "Writing the commit of the sources", executable: URL(fileURLWithPath: "/bin/sh"),
        arguments: [script.path, folder.appending(path: "BuildCommit.swift").path], outputFilesDirectory: folder)
    ]
  }
}

package completion

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"
)

// Command prints what turns completion on in a shell.
type Command struct {
	Shell string `arg:"" help:"bash, zsh or fish; without it the shell of $SHELL" enum:"bash,zsh,fish," default:""`
	Code  bool   `short:"c" help:"print the code for the shell itself"`
}

// Help is what --help shows below the usage line.
func (*Command) Help() string {
	return `Prints the line that turns completion on in the current shell. Put the line in the shell's start file to have completion in every new shell.

Commands, flags, values of flags and the names that the server knows are completed.`
}

// shell is the setup of completion for one kind of shell.
type shell struct{ code, line, file string }

const bashCode = "complete -o default -o bashdefault -C %[2]q %[1]s"

var shells = map[string]shell{
	"bash": {code: bashCode, line: "source <(%[1]s completion -c bash)", file: "~/.bashrc"},
	"zsh": {code: "autoload -U +X bashcompinit && bashcompinit\n" + bashCode, line: "source <(%[1]s completion -c zsh)",
		file: "~/.zshrc"},
	"fish": {line: "%[1]s completion -c fish | source", file: "~/.config/fish/config.fish",
		code: `function __complete_%[1]s
    set -lx COMP_LINE (commandline -cp)
    %[2]q
end
complete -f -c %[1]s -a "(__complete_%[1]s)"`},
}

// Run prints the line, or the code.
func (c *Command) Run(ctx *kong.Context) error {
	name := c.Shell
	if name == "" {
		name = filepath.Base(os.Getenv("SHELL"))
	}
	sh, ok := shells[name]
	if !ok {
		return fmt.Errorf("cannot complete in the shell %q; say which one to use: bash, zsh or fish", name)
	}
	program := ctx.Model.Name
	if c.Code {
		path, err := os.Executable()
		if err != nil {
			return fmt.Errorf("cannot find the path of this program: %w", err)
		}
		_, err = fmt.Fprintf(ctx.Stdout, sh.code+"\n", program, path)
		return err
	}
	_, err := fmt.Fprintf(
		ctx.Stdout,
		"This line turns completion on in %[2]s:\n\n    "+sh.line+"\n\nTo have it in every new shell, add the line to %[3]s.\n",
		program,
		name,
		sh.file,
	)
	return err
}

// Package infra_test holds what lies in this folder: compose files by the
// Compose specification, and each of their commands as a process of this
// machine until it is healthy; the Dockerfile by BuildKit's parser; the unit by systemd.
package infra_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// secrets are what has no default, by file.
var secrets = map[string][]string{
	"docker-compose.dev.yml":  nil,
	"docker-compose.qa.yml":   {"FLOWLITE_AUTH_STRING=qa:p", "POSTGRES_PASSWORD=pw"},
	"docker-compose.prod.yml": {"FLOWLITE_AUTH_STRING=prod:p", "POSTGRES_PASSWORD=pw", "REDIS_PASSWORD=rp", "FLOWLITE_ENCRYPTION_KEY=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "FLOWLITE_IMAGE=flowlite:1", "FLOWLITE_WORKER_IMAGE=flowlite-worker:1", "FLOWLITE_DOMAIN=flows.example.com"},
}

func load(t *testing.T, file string, env []string) (*types.Project, error) {
	t.Helper()
	o, err := cli.NewProjectOptions([]string{file}, cli.WithEnv(env), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	return o.LoadProject(t.Context())
}

func TestComposeFiles(t *testing.T) {
	for file, env := range secrets {
		t.Run(file, func(t *testing.T) {
			for i, one := range env {
				name, _, _ := strings.Cut(one, "=")
				if _, err := load(t, file, slices.Delete(slices.Clone(env), i, i+1)); err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("without %s: %v", name, err)
				}
			}
			p, err := load(t, file, env)
			if err != nil {
				t.Fatal(err)
			}
			for name, s := range p.Services {
				if _, tag, _ := strings.Cut(s.Image, ":"); tag == "" || tag == "latest" {
					t.Errorf("%s: the image %s has no tag that stays", name, s.Image)
				}
				if s.Restart == "" || s.HealthCheck == nil && name != "proxy" {
					t.Errorf("%s: no restart or health check", name)
				}
				for other, d := range s.DependsOn {
					if d.Condition == types.ServiceConditionStarted {
						t.Errorf("%s does not wait until %s is healthy", name, other)
					}
				}
			}
		})
	}
}

func TestProxyKnowsTheServers(t *testing.T) {
	p, err := load(t, "docker-compose.prod.yml", secrets["docker-compose.prod.yml"])
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range p.Services {
		if len(s.Command) > 0 && s.Command[0] == "server" && !strings.Contains(string(text), name+":4200") {
			t.Errorf("the Caddyfile has no %s", name)
		}
		if s.Name != "proxy" && len(s.Ports) > 0 {
			t.Errorf("%s can be reached past the proxy: %v", name, s.Ports)
		}
	}
}

func TestDockerfile(t *testing.T) {
	f, err := os.Open("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tree, err := parser.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	stages, _, err := instructions.Parse(tree.AST, linter.New(&linter.Config{}))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range stages {
		names = append(names, s.Name)
	}
	if !slices.Equal(names, []string{"build", "python", "flowlite"}) {
		t.Fatalf("stages %v", names)
	}
	if !strings.Contains(stages[0].Commands[len(stages[0].Commands)-1].(*instructions.RunCommand).String(), "CGO_ENABLED=0 go build") {
		t.Error("the program is not static")
	}
	if base := stages[2].BaseName; !strings.Contains(base, "/static-") || !strings.HasSuffix(base, ":nonroot") {
		t.Errorf("the last stage stands on %s", base)
	}
	for _, s := range stages[1:] {
		got := map[string]string{}
		for _, c := range s.Commands {
			switch c := c.(type) {
			case *instructions.UserCommand:
				got["user"] = c.User
			case *instructions.EntrypointCommand:
				got["entrypoint"] = strings.Join(c.CmdLine, " ")
			case *instructions.HealthCheckCommand:
				got["health"] = strings.Join(c.Health.Test, " ")
			}
		}
		if want := map[string]string{"user": "65532:65532", "entrypoint": "/usr/local/bin/flowlite", "health": "CMD /usr/local/bin/flowlite server status"}; !maps.Equal(got, want) {
			t.Errorf("%s: %v", s.Name, got)
		}
	}
	// What the compose files build is there.
	for file, env := range secrets {
		p, err := load(t, file, env)
		if err != nil {
			t.Fatal(err)
		}
		for name, s := range p.Services {
			if s.Build != nil && !slices.Contains(names, s.Build.Target) {
				t.Errorf("%s: %s is built from the stage %s", file, name, s.Build.Target)
			}
		}
	}
}

func TestUnits(t *testing.T) {
	for file, lines := range map[string][]string{
		"flowlite.service":        {"DynamicUser=yes"},
		"flowlite-worker.service": {"User=flowlite-worker", "Group=flowlite-worker", "StateDirectory=flowlite-worker"},
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range append(lines, "NoNewPrivileges=yes", "ProtectSystem=strict", "StateDirectoryMode=0700") {
			if !strings.Contains(string(text), line+"\n") {
				t.Errorf("%s has no %s", file, line)
			}
		}
		verify, err := exec.LookPath("systemd-analyze")
		if err != nil {
			continue // not a system of systemd
		}
		unit := filepath.Join(t.TempDir(), file)
		if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), "/usr/local/bin/flowlite", binary(t))), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(verify, "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}

// TestCommands runs the services of each file, with the hosts of this machine
// in the place of theirs.
func TestCommands(t *testing.T) {
	for file, env := range secrets {
		if file != "docker-compose.dev.yml" && os.Getenv("FLOWLITE_TEST_POSTGRES") == "" {
			if os.Getenv("CI") != "" {
				t.Error("CI is set, but FLOWLITE_TEST_POSTGRES names no database to test with")
			}
			continue
		}
		t.Run(file, func(t *testing.T) {
			p, err := load(t, file, env)
			if err != nil {
				t.Fatal(err)
			}
			h := &host{t: t, project: p, bin: binary(t), at: map[string]string{}, ports: map[string]string{}}
			if err := p.ForEachService(p.ServiceNames(), func(name string, s *types.ServiceConfig) error {
				h.up(name, s)
				return nil
			}, types.IncludeDependencies); err != nil {
				t.Fatal(err)
			}
		})
	}
}

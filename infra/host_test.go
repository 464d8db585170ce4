package infra_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/jackc/pgx/v5"
)

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "flowlite-infra-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "flowlite")
	cmd := exec.Command("go", "build", "-o", bin, "./cmd/flowlite")
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
})

func binary(t *testing.T) string {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

func TestMain(m *testing.M) {
	code := m.Run()
	if bin, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(code)
}

// host stands for the network of a project: where each service is.
type host struct {
	t       *testing.T
	project *types.Project
	bin     string
	at      map[string]string // what a service is called by the others → what it is here
	ports   map[string]string
}

// freePort is below those that systems hand out by themselves: a service that
// is started again must find it free.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10_000 + rand.IntN(10_000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port between 10000 and 20000")
	return ""
}

// up starts a service and returns when it is healthy, or when it has ended as it should.
func (h *host) up(name string, s *types.ServiceConfig) {
	h.t.Helper()
	switch image, _, _ := strings.Cut(s.Image, ":"); {
	case image == "postgres":
		h.postgres(name, s)
	case image == "redis":
		port := freePort(h.t)
		h.at[name+":6379"] = "127.0.0.1:" + port
		h.start(name, append(slices.Clone(s.Command), "--port", port, "--dir", h.t.TempDir()), h.env(s))
		h.eventually(name, func() bool {
			c, err := net.Dial("tcp", "127.0.0.1:"+port)
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		})
	case strings.HasPrefix(image, "flowlite"):
		h.flowlite(name, s)
	}
}

func (h *host) flowlite(name string, s *types.ServiceConfig) {
	h.t.Helper()
	port := freePort(h.t)
	h.at[name+":4200"] = "127.0.0.1:" + port
	env := append(h.env(s), "FLOWLITE_HOME="+h.t.TempDir(), "FLOWLITE_PORT="+port)
	if _, client := s.Environment["FLOWLITE_API_URL"]; !client {
		env = append(env, "FLOWLITE_API_URL=http://127.0.0.1:"+port+"/api")
	}
	args := append([]string{h.bin}, h.here(s.Command)...)
	if h.oneShot(name) {
		for range 2 { // each start of the project runs it again
			if out, code := h.run(args, env); code != 0 {
				h.t.Errorf("%s: exit %d\n%s", name, code, out)
			}
		}
		return
	}
	h.start(name, args, env)
	if s.HealthCheck == nil || s.HealthCheck.Test[0] != "CMD" || s.HealthCheck.Test[1] != "/usr/local/bin/flowlite" {
		h.t.Fatalf("%s: health check %v", name, s.HealthCheck)
	}
	check := append([]string{h.bin}, s.HealthCheck.Test[2:]...)
	h.eventually(name, func() bool { _, code := h.run(check, env); return code == 0 })
	if s.Command[0] == "worker" {
		pool := s.Command[slices.Index(s.Command, "--pool")+1]
		h.eventually(name+" is known", func() bool {
			list, code := h.run([]string{h.bin, "worker", "ls", "-p", pool}, env)
			return code == 0 && strings.Contains(strings.ToLower(list), "online")
		})
	}
}

// oneShot is a service whose end others wait for.
func (h *host) oneShot(name string) bool {
	for _, s := range h.project.Services {
		if s.DependsOn[name].Condition == types.ServiceConditionCompletedSuccessfully {
			return true
		}
	}
	return false
}

// env is a service's, with this machine's places.
func (h *host) env(s *types.ServiceConfig) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.t.TempDir()}
	for name, v := range s.Environment {
		if v == nil {
			continue
		}
		value := *v
		for there, here := range h.at {
			value = strings.ReplaceAll(value, there, here)
		}
		if name == "FLOWLITE_DATABASE_URL" {
			value = h.database(value)
		}
		env = append(env, name+"="+value)
	}
	return env
}

// here are arguments with folders of this machine for those that are mounted.
func (h *host) here(args []string) (out []string) {
	for _, a := range args {
		if a == "/flows" {
			a = h.t.TempDir()
		}
		for there, here := range h.at {
			a = strings.ReplaceAll(a, there, here)
		}
		out = append(out, a)
	}
	return out
}

// postgres makes a database on the test's server.
func (h *host) postgres(name string, s *types.ServiceConfig) {
	h.t.Helper()
	server := os.Getenv("FLOWLITE_TEST_POSTGRES")
	database := fmt.Sprintf("infra_%016x", rand.Uint64())
	sql := func(text string) {
		c, err := pgx.Connect(context.Background(), server)
		if err == nil {
			_, err = c.Exec(context.Background(), text)
			_ = c.Close(context.Background())
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
	sql("CREATE DATABASE " + database)
	h.t.Cleanup(func() { sql("DROP DATABASE " + database + " WITH (FORCE)") })
	u, err := url.Parse(server)
	if err != nil {
		h.t.Fatal(err)
	}
	u.Path = "/" + database
	h.ports["database"] = u.String()
}

// database checks that a server's address is that of the service, and gives this machine's.
func (h *host) database(address string) string {
	h.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		h.t.Fatal(err)
	}
	s, ok := h.project.Services[u.Hostname()]
	if !ok {
		h.t.Fatalf("%s is no service", u.Hostname())
	}
	password, _ := u.User.Password()
	for name, got := range map[string]string{"POSTGRES_USER": u.User.Username(), "POSTGRES_PASSWORD": password, "POSTGRES_DB": strings.TrimPrefix(u.Path, "/")} {
		if want := s.Environment[name]; want == nil || *want != got {
			h.t.Errorf("%s: the server says %s", name, got)
		}
	}
	return h.ports["database"]
}

func (h *host) start(name string, args, env []string) {
	h.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Dir = env, h.t.TempDir()
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		h.t.Fatal(name, err)
	}
	h.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		_ = cmd.Wait()
		if h.t.Failed() {
			h.t.Logf("%s:\n%s", name, out.String())
		}
	})
}

func (h *host) run(args, env []string) (string, int) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = env
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

func (h *host) eventually(what string, yes func() bool) {
	h.t.Helper()
	deadline, tick := time.After(60*time.Second), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-deadline:
			h.t.Fatalf("%s is not healthy", what)
		}
	}
}

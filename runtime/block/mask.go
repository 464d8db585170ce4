package block

import "github.com/flowlite/flowlite/runtime/core"

// masked is what stands for a secret. Clients that send it back mean the
// secret that is stored.
const masked = core.MaskedSecret

// mask hides what lies at path. Objects keep their keys, so that a secret
// object is hidden as well as a secret text.
func mask(v any, path []string) any {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		if len(path) == 0 || path[0] == "*" {
			for k, x := range v {
				v[k] = mask(x, nil)
			}
		} else if x, ok := v[path[0]]; ok {
			v[path[0]] = mask(x, path[1:])
		}
		return v
	case []any:
		if len(path) > 0 && path[0] != "*" {
			for i, x := range v {
				v[i] = mask(x, path)
			}
			return v
		}
	}
	if len(path) > 0 && path[0] != "*" {
		return v // the path leads further than the data
	}
	return masked
}

// unmask puts what was at path where v has a mask.
func unmask(v, was any, path []string) any {
	end := len(path) == 0 || path[0] == "*"
	switch v := v.(type) {
	case string:
		if end && v == masked && was != nil {
			return was
		}
	case map[string]any:
		old, ok := was.(map[string]any)
		if !ok {
			return v
		}
		for k, x := range v {
			if end {
				v[k] = unmask(x, old[k], nil)
			} else if k == path[0] {
				v[k] = unmask(x, old[k], path[1:])
			}
		}
	case []any:
		if old, ok := was.([]any); ok && len(old) == len(v) && !end {
			for i, x := range v {
				v[i] = unmask(x, old[i], path)
			}
		}
	}
	return v
}

package flows

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/flowlite/flowlite"
)

type ETLParams struct {
	Source string `json:"source" jsonschema:"default=flows/data/weather.csv,description=CSV file of daily readings"`
	Target string `json:"target,omitempty" jsonschema:"description=file to write; empty: weather-summary.json in the folder for temporary files"`
}

type Reading struct {
	Station   string
	Day       string
	Low, High float64
	Rain      float64
}

// Summary is what is known of one station.
type Summary struct {
	Station string  `json:"station"`
	Days    int     `json:"days"`
	Mean    float64 `json:"mean_c"`
	Coldest float64 `json:"coldest_c"`
	Warmest float64 `json:"warmest_c"`
	Rain    float64 `json:"rain_mm"`
}

var extract = flowlite.NewTask("extract", func(_ context.Context, file string) ([]Reading, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, flowlite.Permanent(err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, flowlite.Permanent(err)
	}
	var out []Reading
	for i, row := range rows[min(1, len(rows)):] {
		var n [3]float64
		for k := range n {
			if n[k], err = strconv.ParseFloat(row[k+2], 64); err != nil {
				return nil, flowlite.Permanent(fmt.Errorf("%s, line %d: %w", file, i+2, err))
			}
		}
		out = append(out, Reading{row[0], row[1], n[0], n[1], n[2]})
	}
	return out, nil
}, flowlite.Retries(3), flowlite.Exponential(time.Second, 30*time.Second, 0.2))

var summarize = flowlite.NewTask("summarize", func(_ context.Context, rs []Reading) (Summary, error) {
	s := Summary{Station: rs[0].Station, Days: len(rs), Coldest: rs[0].Low, Warmest: rs[0].High}
	for _, r := range rs {
		s.Mean += (r.Low + r.High) / 2 / float64(len(rs))
		s.Coldest, s.Warmest = min(s.Coldest, r.Low), max(s.Warmest, r.High)
		s.Rain += r.Rain
	}
	return s, nil
}, flowlite.MaxConcurrency(4), flowlite.CacheFor(time.Hour), flowlite.CacheBy(func(rs []Reading) string {
	b, _ := json.Marshal(rs)
	return fmt.Sprintf("%x", sha256.Sum256(b))
}))

// Readings are the parameters of Transform.
type Readings struct {
	Readings []Reading `json:"readings"`
}

type output struct {
	File string
	Rows []Summary
}

var load = flowlite.NewTask("load", func(_ context.Context, o output) (int, error) {
	b, err := json.MarshalIndent(o.Rows, "", "  ")
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(filepath.Dir(o.File), 0o750); err != nil {
		return 0, err
	}
	return len(o.Rows), os.WriteFile(o.File, b, 0o600)
})

// Transform groups the readings by station and sums each group up. ETL runs it
// as a sub-flow.
var Transform = flowlite.NewFlow("transform", func(ctx context.Context, p Readings) ([]Summary, error) {
	groups := map[string][]Reading{}
	for _, r := range p.Readings {
		groups[r.Station] = append(groups[r.Station], r)
	}
	var stations [][]Reading
	for _, g := range groups {
		stations = append(stations, g)
	}
	slices.SortFunc(stations, func(a, b []Reading) int { return cmp.Compare(a[0].Station, b[0].Station) })
	return summarize.Map(ctx, stations)
})

// ETL reads daily readings, sums them up by station, and writes a file.
var ETL = flowlite.NewFlow("etl", func(ctx context.Context, p ETLParams) (int, error) {
	readings, err := extract.Run(ctx, p.Source)
	if err != nil {
		return 0, err
	}
	flowlite.Logger(ctx).Info("extracted", "readings", len(readings))
	rows, err := Transform.Run(ctx, Readings{readings})
	if err != nil {
		return 0, err
	}
	if err := flowlite.Table(ctx, "stations", rows); err != nil {
		return 0, err
	}
	if p.Target == "" {
		p.Target = filepath.Join(os.TempDir(), "weather-summary.json")
	}
	n, err := load.Run(ctx, output{p.Target, rows})
	if err != nil {
		return 0, err
	}
	return n, flowlite.Markdown(ctx, "summary", fmt.Sprintf("# %d stations\n\nfrom %d readings, written to `%s`", n, len(readings), p.Target))
}, flowlite.Description("Reads a file of weather readings, sums them up by station and writes the result."),
	flowlite.Timeout(10*time.Minute),
	flowlite.Deploys(flowlite.Deployment{Name: "weather", Tags: []string{"example"}}))

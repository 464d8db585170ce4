// Package timeline turns the runs of one flow run into rows, bars and edges in
// percent coordinates, so that one server-rendered SVG stretches to any width.
package timeline

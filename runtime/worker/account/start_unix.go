//go:build unix

package account

import "syscall"

// Start returns attr with the user, for a process that is to be its own. A nil attr
// is an empty one.
func (u *User) Start(attr *syscall.SysProcAttr) *syscall.SysProcAttr {
	if u == nil {
		return attr
	}
	if attr == nil {
		attr = &syscall.SysProcAttr{}
	}
	attr.Credential = &syscall.Credential{Uid: u.uid, Gid: u.gid, Groups: u.groups}
	return attr
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What maps of a device's file show, and pread(2), which shows the same.
 *
 * Pages are put into a map when they are touched, under the semaphore that revocation and new rings take for
 * writing: they set their flag there, and zap after it, so that no fault can put back what was taken away.
 * A producer's maps are of inserted pages, which drivers can pin (V4L2_MEMORY_USERPTR).  Readers' maps are of
 * special PTEs, which nothing can pin: what a reader could pin would outlive its revocation.
 * Maps count nothing: what a map may show is found anew at each fault.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "core.h"

#define FAULT_PAGES	256UL

/* The generation whose window @pos is in, and that @file may see: NULL if it is gone. */
static struct devring_ring *find_ring(const struct devring_file *file, u64 pos)
{
	struct devring_dev *dev = file->dev;
	u64 window = pos >> DEVRING_WINDOW_SHIFT << DEVRING_WINDOW_SHIFT;

	lockdep_assert_held(&dev->map_sem);
	if (devring_file_is_dead(file))
		return NULL;
	if (dev->ring && dev->ring->geometry.ring_offset == window + DEVRING_INDEX_START)
		return dev->ring;
	/* Only readers hold frames of the generation before. */
	if (!file->producer && dev->old && dev->old->geometry.ring_offset == window + DEVRING_INDEX_START)
		return dev->old;
	return NULL;
}

static bool is_header(u64 pos)
{
	return pos < PAGE_SIZE;
}

/* Nothing is there, in any generation. */
static bool is_gap(u64 pos)
{
	return (pos & (BIT_ULL(DEVRING_WINDOW_SHIFT) - 1)) < DEVRING_INDEX_START;
}

/* First file offset that the producer may write. */
static u64 writable_from(const struct devring_ring *ring)
{
	return ring->geometry.metadata_offset;
}

/* The generation that a map was made of; 0 is the header. */
static u32 vma_generation(const struct vm_area_struct *vma)
{
	return (unsigned long)vma->vm_private_data;
}

static bool is_writable(const struct vm_area_struct *vma)
{
	return vma->vm_flags & (VM_WRITE | VM_MAYWRITE);
}

/* Does the map consist of pages that can be pinned? */
static bool has_pages(const struct devring_file *file)
{
	return file->producer || file->dev->flags & DEVRING_REG_PINNABLE;
}

/*
 * The pages that @vma shows from @pos on, and in @nr how many follow each other in the file; NULL if it may show
 * nothing there any more.
 */
static struct page **find_pages(const struct devring_file *file, const struct vm_area_struct *vma, u64 pos,
				unsigned long *nr)
{
	struct devring_dev *dev = file->dev;
	struct devring_ring *ring;
	unsigned long first;

	lockdep_assert_held(&dev->map_sem);
	if (devring_file_is_dead(file))
		return NULL;
	if (!vma_generation(vma)) {
		*nr = 1;
		return is_header(pos) ? &dev->header_page : NULL;
	}
	ring = find_ring(file, pos);
	/* The same window is another generation's after a while, with other regions in it. */
	if (!ring || ring->geometry.generation != vma_generation(vma) || is_gap(pos) ||
	    (is_writable(vma) && pos < writable_from(ring)))
		return NULL;
	first = (pos - ring->geometry.ring_offset) >> PAGE_SHIFT;
	if (first >= ring->nr_pages)
		return NULL;
	*nr = ring->nr_pages - first;
	return &ring->pages[first];
}

/* Inserts from the touched address forward; what is there already stays, and is no error. */
static vm_fault_t insert_pages(struct vm_area_struct *vma, unsigned long addr, struct page **pages, unsigned long nr)
{
	int ret = vm_insert_pages(vma, addr, pages, &nr);

	if (ret == -ENOMEM)
		return VM_FAULT_OOM;
	return ret && ret != -EBUSY ? VM_FAULT_SIGBUS : VM_FAULT_NOPAGE;
}

static vm_fault_t insert_pfns(struct vm_area_struct *vma, unsigned long addr, struct page **pages, unsigned long nr)
{
	vm_fault_t ret, first = VM_FAULT_NOPAGE;
	unsigned long i;

	for (i = 0; i < nr; i++) {
		ret = vmf_insert_pfn(vma, addr + i * PAGE_SIZE, page_to_pfn(pages[i]));
		if (!i)
			first = ret;
		if (ret != VM_FAULT_NOPAGE)
			break;
	}
	return first;
}

static vm_fault_t map_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct devring_file *file = vma->vm_file->private_data;
	unsigned long addr = vmf->address & PAGE_MASK;
	unsigned long room = min((vma->vm_end - addr) >> PAGE_SHIFT,
				 (ALIGN(addr + 1, PMD_SIZE) - addr) >> PAGE_SHIFT);
	struct page **pages;
	unsigned long nr = 1;
	vm_fault_t ret;

	down_read(&file->dev->map_sem);
	pages = find_pages(file, vma, (u64)vmf->pgoff << PAGE_SHIFT, &nr);
	/* In the place of what was taken away: zeros for a reader, a page of its own for a producer. */
	if (!pages) {
		pages = file->producer ? &file->scrap : &devring_zero_page;
		nr = 1;
	}
	nr = min3(nr, room, FAULT_PAGES);
	if (has_pages(file))
		ret = insert_pages(vma, addr, pages, nr);
	else
		ret = insert_pfns(vma, addr, pages, nr);
	up_read(&file->dev->map_sem);
	return ret;
}

/* For debuggers, who cannot get pages of special PTEs. */
static int map_access(struct vm_area_struct *vma, unsigned long addr, void *buf, int len, int write)
{
	struct devring_file *file = vma->vm_file->private_data;
	u64 pos = addr - vma->vm_start + ((u64)vma->vm_pgoff << PAGE_SHIFT);
	struct page **pages;
	unsigned long nr;

	if (write)
		return -EACCES;
	len = min_t(unsigned long, len, PAGE_SIZE - offset_in_page(pos));
	down_read(&file->dev->map_sem);
	pages = find_pages(file, vma, pos & PAGE_MASK, &nr);
	if (pages)
		memcpy(buf, page_address(*pages) + offset_in_page(pos), len);
	else
		memset(buf, 0, len);
	up_read(&file->dev->map_sem);
	return len;
}

static const struct vm_operations_struct map_ops = {
	.fault = map_fault,
	.access = map_access,
};

/* May @file map [@pos, @pos + @bytes), for writing if @write?  The generation comes back, 0 for the header. */
static int check_range(struct devring_file *file, u64 pos, u64 bytes, bool write, u32 *generation, bool *writable)
{
	const struct devring_ring *ring;

	lockdep_assert_held(&file->dev->map_sem);
	*generation = 0;
	*writable = false;
	if (devring_file_is_dead(file))
		return -ENODEV;
	if (is_header(pos)) {
		if (pos || bytes > PAGE_SIZE)
			return -EINVAL;
		return write ? -EACCES : 0;
	}
	if (is_gap(pos))
		return -EINVAL;
	ring = find_ring(file, pos);
	if (!ring)
		return -ESTALE;
	if (pos + bytes > ring->geometry.ring_offset + ring->geometry.ring_bytes)
		return -EINVAL;
	*generation = ring->geometry.generation;
	*writable = file->producer && pos >= writable_from(ring);
	return write && !*writable ? -EACCES : 0;
}

int devring_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct devring_file *file = filp->private_data;
	u64 pos = (u64)vma->vm_pgoff << PAGE_SHIFT;
	unsigned long set = VM_DONTEXPAND | VM_DONTDUMP, clear = VM_MAYEXEC;
	bool writable;
	u32 generation;
	int ret;

	/* VM_SHARED is not set on a shared map of a file that is open for reading only. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	down_read(&file->dev->map_sem);
	ret = check_range(file, pos, vma->vm_end - vma->vm_start, vma->vm_flags & VM_WRITE, &generation, &writable);
	up_read(&file->dev->map_sem);
	if (ret)
		return ret;

	/* What is not writable now must not become so by mprotect(). */
	if (!writable)
		clear |= VM_MAYWRITE;
	if (file->producer)
		set |= VM_DONTCOPY;
	set |= has_pages(file) ? VM_MIXEDMAP : VM_PFNMAP;
	vm_flags_mod(vma, set, clear);
	vma->vm_private_data = (void *)(unsigned long)generation;
	vma->vm_ops = &map_ops;
	if (!file->producer && generation) {
		devring_reader_activate(file, true);
		devring_file_touch(file, &file->map_pid);
	}
	return 0;
}

/* Copies at most a page from @pos on into @bounce; returns how much, 0 at the end, or an error. */
static ssize_t copy_part(struct devring_file *file, u64 pos, size_t len, void *bounce)
{
	struct devring_dev *dev = file->dev;
	const struct devring_ring *ring;
	const void *from;

	lockdep_assert_held(&dev->map_sem);
	if (devring_file_is_dead(file))
		return -ENODEV;
	len = min_t(size_t, len, PAGE_SIZE - offset_in_page(pos));
	if (is_header(pos)) {
		spin_lock(&dev->lock);
		memcpy(bounce, (void *)dev->header + pos, len);
		spin_unlock(&dev->lock);
		return len;
	}
	if (is_gap(pos))
		return -EINVAL;
	ring = find_ring(file, pos);
	if (!ring)
		return -ESTALE;
	pos -= ring->geometry.ring_offset;
	if (pos >= ring->geometry.ring_bytes)
		return 0;
	from = page_address(ring->pages[pos >> PAGE_SHIFT]) + offset_in_page(pos);
	/* As a map would: the producer fills slots meanwhile, and commits write the index. */
	data_race(memcpy(bounce, from, len));
	return len;
}

/*
 * pread(2): what a map at @pos would show.  It goes through a page of our own, since a copy to the caller may be
 * held up for as long as he likes, and must not then show what came after his revocation.
 */
ssize_t devring_file_pread(struct devring_file *file, loff_t pos, struct devring_buf *to)
{
	struct devring_dev *dev = file->dev;
	ssize_t part, done = 0;
	void *bounce;

	if (pos < 0)
		return -EINVAL;
	if (!file->producer && !is_header(pos)) {
		devring_reader_activate(file, true);
		devring_file_touch(file, &file->last_pid);
	}
	bounce = (void *)__get_free_page(GFP_KERNEL);
	if (!bounce)
		return -ENOMEM;
	while (to->left) {
		down_read(&dev->map_sem);
		part = copy_part(file, pos, to->left, bounce);
		up_read(&dev->map_sem);
		if (part > 0) {
			size_t copied = devring_buf_copy(to, bounce, part);

			done += copied;
			pos += copied;
			if (copied != part)
				part = -EFAULT;
		}
		if (part <= 0 || fatal_signal_pending(current)) {
			done = done ?: part;
			break;
		}
		cond_resched();
	}
	free_page((unsigned long)bounce);
	return done;
}

// A doubly linked list whose nodes live as long as their values: append, remove and both ends in O(1), no allocation.

/** A value's place in at most one list at a time. */
export class ListNode<T> {
  readonly value: T;
  /** Written by LinkedList only. */
  list: LinkedList<T> | undefined = undefined;
  previous: ListNode<T> | undefined = undefined;
  next: ListNode<T> | undefined = undefined;

  constructor(value: T) {
    this.value = value;
  }
}

export class LinkedList<T> {
  #first: ListNode<T> | undefined = undefined;
  #last: ListNode<T> | undefined = undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | undefined {
    return this.#first?.value;
  }

  get second(): T | undefined {
    return this.#first?.next?.value;
  }

  get last(): T | undefined {
    return this.#last?.value;
  }

  /** Appends a node, taking it out of the list that it was in. */
  append(node: ListNode<T>): void {
    node.list?.remove(node);
    node.list = this;
    node.previous = this.#last;
    if (this.#last === undefined) this.#first = node;
    else this.#last.next = node;
    this.#last = node;
    this.#length += 1;
  }

  /** Does nothing if the node is not in this list. */
  remove(node: ListNode<T>): void {
    if (node.list !== this) return;
    if (node.previous === undefined) this.#first = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.#last = node.previous;
    else node.next.previous = node.previous;
    node.list = undefined;
    node.previous = undefined;
    node.next = undefined;
    this.#length -= 1;
  }

  /** First to last; the node just given may be removed meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    for (let node = this.#first; node !== undefined;) {
      const following = node.next;
      yield node.value;
      node = following;
    }
  }
}

# mypy: ignore-errors
# ruff: noqa
"""The class of m3-mutex's page "Simple usage", as it stands there.

Changed is only what Python 3 or the page's layout forces: the indentation of
the methods, which the page shows one by one, and this head.
"""

import m3_mutex


class ObjEditMutex(object):
    """Класс-семафор, блокирующий повторное редактирование объекта"""

    def get_obj_id(self, obj_id):
        """Подмена obj_id, для возможности переопределения класса.
        Позволяет использовать свой уникальный obj_id
        без изменения логики родительского класса.
        """
        return obj_id

    def get_mutex_id(self, mode, obj_id):
        """Возвращает id семафора для указанного типа и id объекта

        :param basestring mode: Тип объекта
        :param int obj_id: id объекта

        :rtype: int
        """
        return m3_mutex.MutexID(mode=mode, id=str(obj_id))

    def check(self, obj_id, mode, request_id):
        """Проверка на наличие семафора.
        Возвращает True, если объект не заблокирован или заблокирован нами.
        В противном случае возвращает False
        """
        obj_id = self.get_obj_id(obj_id)
        mutex_id = self.get_mutex_id(mode=mode, obj_id=obj_id)

        # По умолчанию семафор занят
        is_free = False
        state, mt = m3_mutex.request_mutex(mutex_id)

        # Проверяем свободен ли семафор
        if state == m3_mutex.MutexState.FREE:
            is_free = True
        # Если семафорт занят нами в текущем запросе, то тоже все ОК
        elif state == m3_mutex.MutexState.CAPTURED_BY_ME:
            is_free = True

        return is_free

    def block(self, obj_id, mode, request_id):
        """Создание семафора и его блокировка.
        Передаётся id объекта, тип объекта и id запроса.

        :param int obj_id: id объекта
        :param basestring mode: тип объекта
        :param int request_id: id запроса

        :rtype: basestring or None
        """
        blocker = None
        obj_id = self.get_obj_id(obj_id)
        mutex_id = self.get_mutex_id(mode=mode, obj_id=obj_id)

        try:
            # Получаем состояние
            state, mt = m3_mutex.request_mutex(mutex_id)

            # Если mutex никем не занят, в том числе нами из другого места
            if state == m3_mutex.MutexState.FREE:
                # Захватываем mutex
                m3_mutex.capture_mutex(mutex_id, status_data=request_id)

            # Иначе блокируем
            else:
                # Получаем владельца mutex
                blocker = mt.owner.name

        # Если занят
        except m3_mutex.MutexBusy:
            blocker = "Блокировщик неизвестен"

        return blocker

    def refresh(self, obj_id, mode, request_id):
        """Обновление блокировки семафора, чтобы он не освободился по тайм-ауту.
        Передаётся id объекта, тип объекта и id запроса.

        :param int obj_id: id объекта
        :param basestring mode: тип объекта
        :param int request_id: id запроса

        :rtype: basestring or None
        """
        obj_id = self.get_obj_id(obj_id)
        mutex_id = self.get_mutex_id(mode=mode, obj_id=obj_id)

        # Получаем состояние
        state, mt = m3_mutex.request_mutex(mutex_id)

        # Если заблокирован нами и не из другого запроса
        if state == m3_mutex.MutexState.CAPTURED_BY_ME and mt.status_data == request_id:
            # Обновляем блокировку для повторного захвата
            m3_mutex.capture_mutex(mutex_id, status_data=request_id)
        else:
            return "Блокировка объекта снята!"

        return None

    def release(self, obj_id, mode, request_id):
        """Освобождение семафора.
        Передаётся id объекта, тип объекта и id запроса.
        """
        obj_id = self.get_obj_id(obj_id)
        mutex_id = m3_mutex.MutexID(mode=mode, id=obj_id)

        state, mt = m3_mutex.request_mutex(mutex_id)

        if state == m3_mutex.MutexState.CAPTURED_BY_ME:
            mt = m3_mutex.capture_mutex(mutex_id)
            try:
                if mt.status_data == request_id:
                    m3_mutex.release_mutex(mutex_id)
            except m3_mutex.MutexBusy:
                pass
        return None
